"""The packages, programs, fonts and locales that people's code expects of a sandbox work there."""

from __future__ import annotations

import httpx
import pytest

from tests.docker.package_programs import COMMANDS, DOCUMENTS
from tests.docker.sidecar_process import execute

pytestmark = pytest.mark.docker

MODULES = (
    *("numpy", "pandas", "scipy.stats", "sklearn.linear_model", "statsmodels.api", "sympy"),
    *("networkx", "matplotlib.pyplot", "seaborn", "plotly.express", "PIL.Image"),
    *("openpyxl", "xlsxwriter", "xlrd", "odf.opendocument", "docx", "pypdf"),
    *("pdfminer.high_level", "reportlab.pdfgen.canvas", "fpdf", "bs4", "lxml.etree", "html5lib"),
    *("markdown", "jinja2", "yaml", "tabulate", "tqdm", "pytest", "requests"),
    *("numpy.testing", "pandas.testing", "sympy.testing", "sklearn.utils.estimator_checks"),
)
GREETINGS = "你好 안녕 こんにちは 漢字 привет שלום สวัสดี नमस्ते 😀🚀🎉🧪🫠 ✅❤️ ½≥→"
DRAWING = {
    "pyplot": "",
    "seaborn": "import seaborn as sns; sns.set_theme()",
    "a style": "plt.style.use('seaborn-v0_8-whitegrid')",
    "a family": "plt.rcParams['font.family'] = 'serif'",
    "a font of Windows": "plt.rcParams['font.sans-serif'] = ['SimHei']",
    "fonts of macOS": "plt.rcParams['font.family'] = ['PingFang SC', 'Apple Color Emoji']",
    "a font of the web": "plt.rcParams['font.family'] = 'Arial'",
}
# Plotting libraries may take half a minute to come in on a machine that is busy.
SLOW = {"timeout_s": 60}


@pytest.mark.parametrize("module", MODULES)
async def test_a_module_imports_without_a_word(client: httpx.AsyncClient, module: str) -> None:
    ran = await execute(client, "python", f"import {module}", limits=SLOW)
    assert (ran.status, ran.stdout, ran.stderr) == ("ok", "", "")


@pytest.mark.parametrize("library", DOCUMENTS)
async def test_a_document_is_written_and_read(client: httpx.AsyncClient, library: str) -> None:
    ran = await execute(client, "python", DOCUMENTS[library], limits=SLOW)
    assert (ran.stdout.strip(), ran.stderr) == ("ü", "")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("language", ["bash", "python"])
async def test_a_program_of_the_command_line_works_in_both(
    client: httpx.AsyncClient, language: str, command: str
) -> None:
    text = COMMANDS[command]
    code = text if language == "bash" else f"import os; os.system({text!r})"
    ran = await execute(client, language, code)
    assert (ran.stdout, ran.stderr) == ("42\n", "")


@pytest.mark.parametrize("chosen", DRAWING)
async def test_no_character_of_a_figure_is_an_empty_box(
    client: httpx.AsyncClient, chosen: str
) -> None:
    code = (
        "import matplotlib.pyplot as plt, warnings; warnings.simplefilter('error')\n"
        f"{DRAWING[chosen]}\nplt.plot([1, 2], label='{GREETINGS}'); plt.legend()\n"
        f"plt.title('{GREETINGS}', weight='bold'); plt.ylabel('{GREETINGS}', style='italic')\n"
        "for kind in 'png', 'svg', 'pdf': plt.savefig('x.' + kind)\n"
        "plt.close()"
    )
    ran = await execute(client, "python", code, limits=SLOW)
    assert (ran.status, ran.stderr) == ("ok", "")


async def test_locales_of_several_languages_are_there(client: httpx.AsyncClient) -> None:
    code = (
        "import locale\nfor name in 'de_DE.UTF-8', 'en_US.UTF-8', 'fr_FR.utf8':\n"
        "    locale.setlocale(locale.LC_ALL, name)\n"
        "    print(locale.format_string('%.2f', 1234.5, grouping=True))"
    )
    ran = await execute(client, "python", code)
    assert ran.stdout.replace("\u202f", " ") == "1.234,50\n1,234.50\n1 234,50\n"


async def test_none_of_it_is_imported_before_a_program_asks(client: httpx.AsyncClient) -> None:
    code = f"import sys; print({{name.split('.')[0] for name in {MODULES!r}}} & set(sys.modules))"
    assert (await execute(client, "python", code)).stdout == "set()\n"
