"""What an operator writes into extra.txt and extra-apt.txt is in the image that is built then."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.sidecar_process import docker

pytestmark = pytest.mark.docker

IMAGES = Path(__file__).parents[2] / "sandbox-images"
PREFIX = "mini-agent-test-extra/sandbox-"
METADATA = "Metadata-Version: 2.1\nName: greeter\nVersion: 1.5\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel(folder: Path) -> Path:
    """A package with one module, as a file in `folder`."""
    path = folder / "greeter-1.5-py3-none-any.whl"
    about = "greeter-1.5.dist-info"
    files = {
        "greeter.py": "WORD = 'hello'\n",
        f"{about}/METADATA": METADATA,
        f"{about}/WHEEL": WHEEL,
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, f"{about}/RECORD": record}.items():
            wheel.writestr(name, text)
    return path


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Builds the python image of a copy of the folder of images."""
    return subprocess.run(
        [folder / "build", "python"],
        env=os.environ | {"SANDBOX_IMAGE_PREFIX": PREFIX},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def images(tmp_path: Path) -> Iterator[Path]:
    """A copy of the folder, whose images go afterwards."""
    folder = tmp_path / "sandbox-images"
    shutil.copytree(IMAGES, folder, ignore=shutil.ignore_patterns("extra*.txt", "wheels"))
    shutil.copytree(IMAGES.parent / "protocol", tmp_path / "protocol")
    yield folder
    names = [f"{PREFIX}{name}:local" for name in ("python", "base", "foundation")]
    subprocess.run(["docker", "image", "rm", "-f", *names], capture_output=True, check=False)


async def test_a_wheel_and_a_debian_package_are_installed_and_listed(images: Path) -> None:
    wheels = images / "python" / "wheels"
    wheels.mkdir()
    wheel = make_wheel(wheels)
    (images / "python" / "extra.txt").write_text(f"# ours\n./wheels/{wheel.name}\n")
    (images / "python" / "extra-apt.txt").write_text("python3-xlwt  # old Excel\n\n")
    built = build(images)
    assert built.returncode == 0, built.stderr
    code = (
        "import greeter, xlwt, importlib.util as u; from pathlib import Path;"
        "print(greeter.WORD, u.find_spec('pip'), Path('/opt/mini-agent/about.json').read_text())"
    )
    confined = ("--rm", "--network=none", "--read-only", "--user=100000:100000")
    said = await docker(
        "run", *confined, "--entrypoint=python3", f"{PREFIX}python:local", "-c", code
    )
    word, pip, about = " ".join(said).split(" ", 2)
    packages = json.loads(about)["packages"]
    assert (word, pip) == ("hello", "None")
    assert packages["greeter"] == "1.5"
    assert {"xlwt", "numpy"} <= packages.keys()


def test_what_cannot_be_installed_stops_the_build_and_is_named(images: Path) -> None:
    (images / "python" / "extra-apt.txt").write_text("no-such-package-here\n")
    built = build(images)
    assert built.returncode == 1
    assert "no-such-package-here" in built.stderr
