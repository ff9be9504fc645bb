"""Programs that write a document and read it again, and commands that print 42."""

from __future__ import annotations

from types import MappingProxyType

DOCUMENTS = MappingProxyType(
    {
        "openpyxl": """
import openpyxl
book = openpyxl.Workbook(); book.active["A1"] = "ü"; book.save("x.xlsx")
print(openpyxl.load_workbook("x.xlsx").active["A1"].value)
""",
        "xlsxwriter": """
import pandas as pd
pd.DataFrame({"a": ["ü"]}).to_excel("x.xlsx", engine="xlsxwriter")
print(pd.read_excel("x.xlsx").a[0])
""",
        "odf": """
import pandas as pd
pd.DataFrame({"a": ["ü"]}).to_excel("x.ods", engine="odf")
print(pd.read_excel("x.ods").a[0])
""",
        "docx": """
import docx
text = docx.Document(); text.add_heading("T"); text.add_paragraph("ü"); text.save("x.docx")
print(docx.Document("x.docx").paragraphs[1].text)
""",
        "reportlab": """
import pypdf
from reportlab.pdfgen.canvas import Canvas
canvas = Canvas("x.pdf"); canvas.drawString(99, 99, "ü"); canvas.save()
print(pypdf.PdfReader("x.pdf").pages[0].extract_text().strip())
""",
        "platypus": """
from pdfminer.high_level import extract_text
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate
SimpleDocTemplate("x.pdf").build([Paragraph("ü", getSampleStyleSheet()["Normal"])])
print(extract_text("x.pdf").strip())
""",
        "fpdf": """
import subprocess, fpdf
pdf = fpdf.FPDF(); pdf.add_page(); pdf.set_font("Helvetica"); pdf.cell(text="ü")
pdf.output("x.pdf")
print(subprocess.check_output(["pdftotext", "x.pdf", "-"], text=True).strip())
""",
        "pillow": """
from PIL import Image, ImageDraw, ImageFont
image = Image.new("RGB", (40, 40), "white")
font = ImageFont.truetype("wqy-microhei.ttc", 20)
ImageDraw.Draw(image).text((9, 9), "漢", fill="black", font=font)
image.save("x.webp")
print("ü" if len(set(Image.open("x.webp").getdata())) > 2 else "blank")
""",
        "bs4": """
from bs4 import BeautifulSoup
print(*{BeautifulSoup("<p>ü", parser).p.text for parser in ("lxml", "html5lib")})
""",
        "markdown": """
import lxml.html, markdown
print(lxml.html.fromstring(markdown.markdown("*ü*")).text_content())
""",
        "jinja2": """
import jinja2, yaml
print(jinja2.Template("{{ x }}").render(yaml.safe_load("x: ü")))
""",
        "plotly": """
import plotly.express as px
px.line(x=[1, 2], y=[1, 2], title="title").write_html("x.html")
page = open("x.html").read()
print("ü" if "Plotly.newPlot" in page and len(page) > 1_000_000 else "none")
""",
        "styler": """
import pandas as pd
table = pd.DataFrame({"a": ["ü"]}); table.to_markdown(); table.to_xml("x.xml")
assert "ü" in table.style.to_html()
print(pd.read_xml("x.xml").a[0])
""",
        "sympy": """
import networkx, sympy, statsmodels.api as sm, tqdm
x = sympy.Symbol("x")
assert sympy.integrate(2 * x, x) == x**2
assert networkx.shortest_path_length(networkx.path_graph(4), 0, 3) == 3
assert abs(sm.OLS([1, 2, 3], [2, 4, 6]).fit().params[0] - 0.5) < 1e-9
print("ü")
""",
    }
)
COMMANDS = MappingProxyType(
    {
        "bc": "echo '6*7' | bc",
        "curl": "echo 42 >f; curl -s file://$PWD/f",
        "file": "echo '{\"a\": 1}' >f; file -bi f | grep -q ^application/json && echo 42",
        "git": """git init -q r && cd r && git config user.name a && git config user.email a@b
            echo 42 >f && git add f && git commit -qm m && git show HEAD:f""",
        "jq": "echo '{\"a\": 42}' | jq .a",
        "less": "echo 42 | less",
        "perl": "perl -e 'use POSIX; print floor(42.5), \"\\n\"'",
        "poppler": "pdftoppm -v 2>&1 | grep -q poppler && echo 42",
        "ripgrep": "echo 42 >f; rg -N 42 f",
        "sqlite3": "sqlite3 a.db 'create table t as select 42 n' && sqlite3 a.db 'select n from t'",
        "tree": "mkdir t && touch t/42 && tree -i --noreport t | tail -n 1",
        "zip": "echo 42 >f; zip -q f.zip f && unzip -p f.zip",
        "xxd": "printf 42 | xxd -p | xxd -r -p; echo",
        "xz": "echo 42 | xz | xz -d | bzip2 | bunzip2",
    }
)
