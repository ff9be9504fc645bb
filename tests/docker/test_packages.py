"""The packages, programs, fonts and locales that people's code expects of a sandbox are there and work."""

from __future__ import annotations

import httpx
import pytest

from tests.docker.sidecar_process import execute

pytestmark = pytest.mark.docker

MODULES = (
    *("numpy", "pandas", "scipy.stats", "sklearn.linear_model", "statsmodels.api", "sympy", "networkx"),
    *("matplotlib.pyplot", "seaborn", "plotly.express", "PIL.Image"),
    *("openpyxl", "xlsxwriter", "xlrd", "odf.opendocument", "docx", "pypdf", "pdfminer.high_level"),
    *("reportlab.pdfgen.canvas", "fpdf", "bs4", "lxml.etree", "html5lib", "markdown", "jinja2", "yaml"),
    *("tabulate", "tqdm", "pytest", "requests"),
)
# Each leaves a document that it has read again, or fails.
DOCUMENTS = {
    "openpyxl": "import openpyxl as o\nb = o.Workbook(); b.active['A1'] = 'ü'; b.save('x.xlsx')\n"
    "print(o.load_workbook('x.xlsx').active['A1'].value)",
    "xlsxwriter": "import pandas as pd\npd.DataFrame({'a': ['ü']}).to_excel('x.xlsx', engine='xlsxwriter')\n"
    "print(pd.read_excel('x.xlsx').a[0])",
    "odf": "import pandas as pd\npd.DataFrame({'a': ['ü']}).to_excel('x.ods', engine='odf')\n"
    "print(pd.read_excel('x.ods').a[0])",
    "docx": "import docx\nd = docx.Document(); d.add_heading('T'); d.add_paragraph('ü'); d.save('x.docx')\n"
    "print(docx.Document('x.docx').paragraphs[1].text)",
    "reportlab": "from reportlab.pdfgen.canvas import Canvas\nc = Canvas('x.pdf'); c.drawString(99, 99, 'ü'); c.save()\n"
    "import pypdf\nprint(pypdf.PdfReader('x.pdf').pages[0].extract_text().strip())",
    "platypus": "from reportlab.platypus import Paragraph, SimpleDocTemplate\n"
    "from reportlab.lib.styles import getSampleStyleSheet\n"
    "SimpleDocTemplate('x.pdf').build([Paragraph('ü', getSampleStyleSheet()['Normal'])])\n"
    "from pdfminer.high_level import extract_text\nprint(extract_text('x.pdf').strip())",
    "fpdf": "import fpdf\np = fpdf.FPDF(); p.add_page(); p.set_font('Helvetica'); p.cell(text='ü'); p.output('x.pdf')\n"
    "import subprocess\nprint(subprocess.check_output(['pdftotext', 'x.pdf', '-'], text=True).strip())",
    "pillow": "from PIL import Image, ImageDraw, ImageFont\ni = Image.new('RGB', (40, 40), 'white')\n"
    "f = ImageFont.truetype('wqy-microhei.ttc', 20)\nImageDraw.Draw(i).text((9, 9), '漢', fill='black', font=f)\n"
    "i.save('x.webp'); print('ü' if len(set(Image.open('x.webp').getdata())) > 2 else 'blank')",
    "bs4": "from bs4 import BeautifulSoup as B\nprint(*{B('<p>ü', p).p.text for p in ('lxml', 'html5lib')})",
    "markdown": "import markdown, lxml.html\nprint(lxml.html.fromstring(markdown.markdown('*ü*')).text_content())",
    "jinja2": "import jinja2, yaml\nprint(jinja2.Template('{{ x }}').render(yaml.safe_load('x: ü')))",
    "plotly": "import plotly.express as px\npx.line(x=[1, 2], y=[1, 2], title='ü').write_html('x.html')\n"
    "print('ü' if 'plotly' in open('x.html').read().lower() else 'none')",
    "styler": "import pandas as pd\nd = pd.DataFrame({'a': ['ü']}); d.to_markdown(); d.to_xml('x.xml')\n"
    "print('ü' if 'ü' in d.style.to_html() else '', end=''); print(*pd.read_xml('x.xml').a.unique()[1:])",
}
PROGRAMS = {
    "bc": "echo '6*7' | bc",
    "curl": "echo 42 >f; curl -s file://$PWD/f",
    "file": "printf '%%PDF-1.4\\n' >f; file -b --mime-type f | grep -qx application/pdf && echo 42",
    "git": "git init -q r && cd r && git config user.name a && git config user.email a@b && echo 42 >f && git add f"
    " && git commit -qm m && git show HEAD:f",
    "jq": "echo '{\"a\": 42}' | jq .a",
    "less": "echo 42 | less",
    "poppler": "pdftoppm -v 2>&1 | grep -q poppler && pdfinfo -v 2>&1 | grep -q poppler && echo 42",
    "ripgrep": "echo 42 >f; rg -N 42 f",
    "sqlite3": "sqlite3 a.db 'create table t (n); insert into t values (42)' && sqlite3 a.db 'select n from t'",
    "tree": "mkdir t && touch t/42 && tree -i --noreport t | tail -n 1",
    "zip": "echo 42 >f; zip -q f.zip f && unzip -p f.zip",
    "xxd": "printf 42 | xxd -p | xxd -r -p; echo",
    "xz": "echo 42 | xz | xz -d | bzip2 | bunzip2",
}
GREETINGS = "你好 안녕 こんにちは 漢字 привет שלום สวัสดี नमस्ते 😀🚀🎉 ✅❤️ ½≥→"
DRAWING = {
    "pyplot": "",
    "seaborn": "import seaborn as sns; sns.set_theme()",
    "a style": "plt.style.use('seaborn-v0_8-whitegrid')",
    "a family": "plt.rcParams['font.family'] = 'serif'",
    "a font of Windows": "plt.rcParams['font.sans-serif'] = ['SimHei']; plt.rcParams['font.family'] = ['Arial']",
    "a font of macOS": "plt.rcParams['font.family'] = ['PingFang SC', 'Apple Color Emoji']",
}


@pytest.mark.parametrize("module", MODULES)
async def test_a_module_imports_without_a_word(client: httpx.AsyncClient, module: str) -> None:
    ran = await execute(client, "python", f"import {module}", limits={"timeout_s": 60})
    assert (ran.status, ran.stdout, ran.stderr) == ("ok", "", "")


@pytest.mark.parametrize("library", DOCUMENTS)
async def test_a_document_is_written_and_read(client: httpx.AsyncClient, library: str) -> None:
    ran = await execute(client, "python", DOCUMENTS[library], limits={"timeout_s": 60})
    assert (ran.stdout.strip(), ran.stderr) == ("ü", "")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("language", ["bash", "python"])
async def test_a_program_of_the_command_line_works_in_both(
    client: httpx.AsyncClient, language: str, program: str
) -> None:
    command = PROGRAMS[program]
    code = command if language == "bash" else f"import os; os.system({command!r})"
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
        "[plt.savefig('x.' + kind) for kind in ('png', 'svg', 'pdf')]; plt.close()"
    )
    ran = await execute(client, "python", code, limits={"timeout_s": 60})
    assert (ran.status, ran.stderr) == ("ok", "")


async def test_locales_of_several_languages_are_there(client: httpx.AsyncClient) -> None:
    code = (
        "import locale\nfor name in 'de_DE.UTF-8', 'en_US.UTF-8', 'fr_FR.utf8':\n"
        "    locale.setlocale(locale.LC_ALL, name); print(locale.format_string('%.2f', 1234.5, True))"
    )
    ran = await execute(client, "python", code)
    assert ran.stdout.replace("\u202f", " ") == "1.234,50\n1,234.50\n1 234,50\n"


async def test_none_of_it_is_imported_before_a_program_asks(client: httpx.AsyncClient) -> None:
    code = f"import sys; print({{name.split('.')[0] for name in {MODULES!r}}} & set(sys.modules))"
    assert (await execute(client, "python", code)).stdout == "set()\n"
