"""A sixth language is one folder of sandbox-images/ and one entry of the operator's file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.docker.runner_client import IMAGE_TAG
from tests.docker.sidecar_process import Sidecar, sidecar
from tests.sidecar.sixth_language import name_language

pytestmark = pytest.mark.docker

PREFIX = os.environ.get("SANDBOX_IMAGE_PREFIX", "mini-agent/sandbox-")
IMAGE = f"{PREFIX}perl:{IMAGE_TAG}"
PROGRAM = 'my $line = <STDIN>; print "$line, @ARGV, $ENV{WORD}\\n"; exit 3;'


@pytest.fixture(scope="module")
def with_perl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar that knows Perl, over an engine for which the image was built."""
    folder = tmp_path_factory.mktemp("sixth")
    variables = name_language(folder)
    tag = {"SANDBOX_IMAGE_TAG": IMAGE_TAG}
    subprocess.run([folder / "sandbox-images" / "build", "perl"], env=os.environ | tag, check=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with sidecar(folder, warm='{"perl": 1}') as running:
            yield running
    subprocess.run(["docker", "image", "rm", "-f", IMAGE], capture_output=True, check=True)


async def test_a_program_in_it_runs_and_answers(with_perl: Sidecar) -> None:
    async with with_perl.client() as client:
        snippet = {
            "language": "pl",
            "code": PROGRAM,
            "stdin": "in",
            "args": ["a", "b"],
            "env": {"WORD": "word"},
        }
        done = (await client.post("/v1/execute", json=snippet)).json()
    assert (done["language"], done["stdout"]) == ("perl", "in, a b, word\n")
    assert (done["status"], done["exit_code"], done["stderr"]) == ("nonzero", 3, "")


async def test_the_service_lists_it_with_its_version(with_perl: Sidecar) -> None:
    async with with_perl.client() as client:
        cards = (await client.get("/v1/languages")).json()["languages"]
    assert (cards[-1]["name"], cards[-1]["image"]) == ("perl", IMAGE)
    assert cards[-1]["available"]
    assert cards[-1]["version"].startswith("5.")
