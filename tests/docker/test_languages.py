"""The five languages, each as its users expect it to behave."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.docker.engine_here import execute

pytestmark = pytest.mark.docker

GREETERS = {
    "python": "import os, sys\nprint('hi', sys.argv[1], sys.stdin.read(), os.environ['WHO'])",
    "node": (
        "const said = require('fs').readFileSync(0, 'utf8');\n"
        "console.log('hi', process.argv[2], said, process.env.WHO)"
    ),
    "go": (
        'package main\nimport ("fmt"; "io"; "os")\n'
        "func main() { said, _ := io.ReadAll(os.Stdin)\n"
        'fmt.Println("hi", os.Args[1], string(said), os.Getenv("WHO")) }'
    ),
    "rust": (
        "use std::{env, io};\nfn main() { let said = io::read_to_string(io::stdin()).unwrap();\n"
        'println!("hi {} {} {}", env::args().nth(1).unwrap(), said, env::var("WHO").unwrap()) }'
    ),
    "bash": 'echo "hi $1 $(cat) $WHO"',
}


@pytest.mark.parametrize("language", GREETERS)
async def test_a_program_gets_its_arguments_its_input_and_its_environment(
    client: httpx.AsyncClient, language: str
) -> None:
    ran = await execute(
        client, language, GREETERS[language], args=["a b"], stdin="typed", env={"WHO": "é"}
    )
    assert (ran.stdout, ran.stderr, ran.exit_code) == ("hi a b typed é\n", "", 0)
    assert ran.language == language


@pytest.mark.parametrize(
    ("language", "code", "said"),
    [
        ("go", "package main\nfunc main() { unused := 1 }", "declared and not used"),
        ("rust", 'fn main() { let x: u8 = "text"; }', "mismatched types"),
    ],
)
async def test_what_does_not_compile_is_told_in_the_compilers_words(
    client: httpx.AsyncClient, language: str, code: str, said: str
) -> None:
    ran = await execute(client, language, code)
    assert (ran.status, ran.stdout) == ("compile_error", "")
    assert said in ran.stderr


@pytest.mark.parametrize(
    ("language", "code", "exit_code"),
    [
        ("python", "raise SystemExit(3)", 3),
        ("node", "process.exit(4)", 4),
        ("go", 'package main\nimport "os"\nfunc main() { os.Exit(5) }', 5),
        ("rust", "fn main() { std::process::exit(6) }", 6),
        ("bash", "exit 137", 137),
    ],
)
async def test_an_exit_code_is_the_programs_own(
    client: httpx.AsyncClient, language: str, code: str, exit_code: int
) -> None:
    ran = await execute(client, language, code)
    assert (ran.status, ran.exit_code, ran.signal) == ("nonzero", exit_code, None)


async def test_a_program_that_a_signal_ends_says_which(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "bash", "kill -SEGV $$")
    assert (ran.status, ran.exit_code, ran.signal) == ("nonzero", 139, "SIGSEGV")


async def test_bash_reaches_the_compilers_of_the_toolchain_it_names(
    client: httpx.AsyncClient,
) -> None:
    source = b'package main\nfunc main() { println("from go run") }'
    files = {"hello.go": base64.b64encode(source).decode()}
    ran = await execute(client, "bash", "go run hello.go", toolchain="go", files=files)
    assert (ran.status, ran.stderr) == ("ok", "from go run\n")


async def test_node_takes_import_require_and_await_in_one_file(client: httpx.AsyncClient) -> None:
    code = (
        "import path from 'node:path';\nconst os = require('os');\n"
        "console.log(path.sep, typeof os.cpus, await Promise.resolve(7))"
    )
    ran = await execute(client, "node", code)
    assert (ran.stdout, ran.stderr) == ("/ function 7\n", "")
