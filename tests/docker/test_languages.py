"""The languages, each as its users expect it to behave."""

from __future__ import annotations

import asyncio
import base64

import httpx
import pytest

from tests.docker.runner_client import open_runner
from tests.docker.sidecar_process import execute

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
    "typescript": (
        "import { readFileSync } from 'fs';\nconst said: string = readFileSync(0, 'utf8');\n"
        "console.log('hi', process.argv[2], said, process.env.WHO)"
    ),
    "c": (
        "#include <stdio.h>\n#include <stdlib.h>\nint main(int argc, char **argv) {\n"
        "char said[9]; return !fgets(said, 9, stdin) ||\n"
        'printf("hi %s %s %s\\n", argv[argc - 1], said, getenv("WHO")) < 0; }'
    ),
    "cpp": (
        "#include <iostream>\n#include <cstdlib>\nint main(int, char **argv) {\n"
        "std::string said; std::cin >> said;\n"
        'std::cout << "hi " << argv[1] << " " << said << " " << getenv("WHO") << "\\n"; }'
    ),
    "php": (
        "<?php echo 'hi ', $argv[1], ' ', stream_get_contents(STDIN), ' ', getenv('WHO'), PHP_EOL;"
    ),
    "ruby": 'puts "hi #{ARGV[0]} #{$stdin.read} #{ENV["WHO"]}"',
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
        ("typescript", "let x: = 1;", "main.ts:1"),
        ("c", "int main(void) { return x; }", "main.c:1"),
        ("cpp", "int main() { return x; }", "main.cpp:1"),
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
        ("typescript", "process.exit(7 as number)", 7),
        ("c", "int main(void) { return 8; }", 8),
        ("cpp", "int main() { return 9; }", 9),
        ("php", "<?php exit(10);", 10),
        ("ruby", "exit 11", 11),
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


MANIFEST = '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n'
PRINT_MORE = 'package main\nimport "demo/more"\nfunc main() { println(more.Word) }'


@pytest.mark.parametrize(
    ("language", "code", "files", "said"),
    [
        ("go", PRINT_MORE, {"go.mod": "module demo\n\ngo 1.24\n"}, "more"),
        ("rust", 'fn main() { eprintln!("{}", demo::WORD); }', {"Cargo.toml": MANIFEST}, "more"),
        ("node", "import { word } from './more.mjs'; console.error(word)", {}, "more"),
        ("node", "console.error(require('./more.cjs'))", {}, "more"),
        (
            "python",
            "import sys; from pkg import more; print(more.word, file=sys.stderr)",
            {},
            "more",
        ),
    ],
)
async def test_a_project_of_several_files_is_built_offline(
    client: httpx.AsyncClient, language: str, code: str, files: dict[str, str], said: str
) -> None:
    parts = {
        "more/more.go": 'package more\nconst Word = "more"',
        "src/lib.rs": 'pub const WORD: &str = "more";',
        "more.mjs": "export const word = 'more'",
        "more.cjs": "module.exports = 'more'",
        "pkg/more.py": "from .word import word",
        "pkg/word.py": "word = 'more'",
    }
    sent = {name: encoded(content) for name, content in (parts | files).items()}
    ran = await execute(client, language, code, files=sent)
    assert (ran.status, ran.stderr) == ("ok", f"{said}\n")


async def test_a_dependency_that_is_not_there_is_told_by_the_tool_itself(
    client: httpx.AsyncClient,
) -> None:
    files = {"Cargo.toml": encoded(f'{MANIFEST}[dependencies]\nserde = "1"\n')}
    ran = await execute(client, "rust", "fn main() {}", files=files)
    assert ran.status == "compile_error"
    assert "no matching package named `serde` found" in ran.stderr


async def test_a_go_program_with_an_embedded_file_is_left_to_go_itself(
    client: httpx.AsyncClient,
) -> None:
    code = (
        'package main\nimport _ "embed"\n//go:embed a.txt\nvar a string\nfunc main() { print(a) }'
    )
    ran = await execute(client, "go", code, files={"a.txt": encoded("embedded")})
    assert (ran.status, ran.stderr) == ("ok", "embedded")


@pytest.mark.parametrize(
    ("check", "status", "said"),
    [("1 + 1 != 2", "ok", "PASS\n"), ("1 + 1 == 2", "nonzero", "FAIL\n")],
)
async def test_go_tests_run_where_there_is_no_program(
    client: httpx.AsyncClient, check: str, status: str, said: str
) -> None:
    code = (
        'package sum_test\nimport "testing"\n'
        f"func TestSum(t *testing.T) {{ if {check} {{ t.Fail() }} }}"
    )
    ran = await execute(client, "go", code)
    assert (ran.status, ran.stdout.splitlines(keepends=True)[-1]) == (status, said)


async def test_a_go_package_that_is_no_program_says_so(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "go", "package lib\nfunc F() {}")
    assert (ran.status, ran.stderr) == (
        "compile_error",
        "main.go is of package lib: only package main is a program, and there is no test to run\n",
    )


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        (
            "function f() { throw new Error('boom') }\nf()",
            1,
            "Error: boom\n    at f (/tmp/.snippet/main",
        ),
        ("let x = ;", 1, "SyntaxError: Unexpected token ';'"),
        ("Promise.reject(new Error('later'))", 1, "Error: later"),
        ("process.exitCode = 5", 5, ""),
    ],
)
async def test_node_fails_as_it_does_anywhere(
    client: httpx.AsyncClient, code: str, exit_code: int, said: str
) -> None:
    ran = await execute(client, "node", code)
    assert ran.exit_code == exit_code
    assert said in ran.stderr
    assert "mini-agent" not in ran.stderr


async def test_workers_and_children_of_a_node_program_run(client: httpx.AsyncClient) -> None:
    code = (
        "const { Worker, isMainThread, parentPort } = require('worker_threads');\n"
        "const { fork } = require('child_process');\n"
        "if (!isMainThread) parentPort.postMessage('worker');\n"
        "else if (process.argv[2] === 'child') process.send('child');\n"
        "else { new Worker(__filename).on('message', console.log);\n"
        "  fork(__filename, ['child']).on('message', (said) => console.log(said)); }"
    )
    ran = await execute(client, "node", code)
    assert sorted(ran.stdout.split()) == ["child", "worker"]
    assert ran.stderr == ""


async def test_node_reads_its_own_variables_at_its_start(client: httpx.AsyncClient) -> None:
    ran = await execute(
        client, "node", "console.log(process.title)", env={"NODE_OPTIONS": "--title=named"}
    )
    assert ran.stdout == "named\n"


async def test_one_node_after_another_starts_with_nothing_of_the_last() -> None:
    code = "console.log(globalThis.left, process.argv.slice(2)); globalThis.left = 1"
    async with open_runner("node") as runner:
        said = [(await runner.run(code, args=[word])).stdout for word in ("a", "b", "c")]
    assert said == ["undefined [ 'a' ]\n", "undefined [ 'b' ]\n", "undefined [ 'c' ]\n"]


async def test_a_node_that_waits_is_used_after_a_rest() -> None:
    async with open_runner("node") as runner:
        await runner.run("1")
        await asyncio.sleep(3)
        heard = await runner.run("console.log(process.uptime() > 0.3)")
    assert heard.stdout == "true\n"


def encoded(content: str) -> str:
    return base64.b64encode(content.encode()).decode()
