"""Makes matplotlib find a glyph for every script: run at the build, and after fonts are added.

matplotlib looks a character up in the families that a program names and in no other, so that
Chinese or an emoji is an empty box unless the program knows this machine's fonts. Here each lookup
goes on in FALLBACK, whatever is named. Families that programs name for other systems stand for
what is here, as fontconfig has it. The list of fonts takes seconds to make: it is made here, and
the runner links it into place.
"""

import os
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path("/opt/mini-agent/skeleton/matplotlib")
FALLBACK = (
    "DejaVu Sans",
    "WenQuanYi Micro Hei",
    "Symbola",
    "FreeSerif",
    "Unifont",
    "Unifont Upper",
)
STAND_INS = {
    "Liberation Sans": ("Arial", "Helvetica", "Helvetica Neue"),
    "Liberation Serif": ("Times", "Times New Roman"),
    "Liberation Mono": ("Courier", "Courier New", "Consolas", "Menlo", "Monaco"),
    "DejaVu Sans": ("Verdana", "Tahoma", "Segoe UI"),
    "Symbola": ("Apple Color Emoji", "Noto Color Emoji", "Noto Emoji", "Segoe UI Emoji"),
    "WenQuanYi Micro Hei": (
        *("SimHei", "SimSun", "Microsoft YaHei", "PingFang SC", "Heiti SC", "Heiti TC", "STHeiti"),
        *("Arial Unicode MS", "WenQuanYi Zen Hei", "Source Han Sans SC", "Source Han Sans CN"),
        *(
            f"Noto Sans {name}"
            for name in ("CJK SC", "CJK TC", "CJK JP", "CJK KR", "SC", "TC", "JP", "KR")
        ),
        *("IPAexGothic", "Hiragino Sans", "Yu Gothic", "MS Gothic", "Meiryo", "TakaoGothic"),
        *("NanumGothic", "Malgun Gothic", "AppleGothic"),
    ),
}
LOOP = "        for family in prop.get_family():\n            cprop = prop.copy()\n"
WITH_FALLBACK = LOOP.replace(
    "prop.get_family()", f"dict.fromkeys([*prop.get_family(), *{FALLBACK!r}])"
)


def add_fallback() -> None:
    """Change matplotlib's lookup, once."""
    package = find_spec("matplotlib")
    assert package, "matplotlib is not installed"
    source = Path(package.origin).with_name("font_manager.py")
    text = source.read_text()
    if WITH_FALLBACK in text:
        return
    assert text.count(LOOP) == 1, "matplotlib looks its fonts up in another way"
    source.write_text(text.replace(LOOP, WITH_FALLBACK))
    subprocess.run(["python3", "-m", "compileall", "-q", source], check=True)


def list_fonts() -> None:
    """Write the list, with the names of other systems where they have no font of their own."""
    os.environ["MPLCONFIGDIR"] = str(FOLDER)
    for path in FOLDER.glob("fontlist-*.json"):
        path.unlink()
    # It reads the variable, and what was changed above.
    from matplotlib import font_manager  # noqa: PLC0415

    manager = font_manager.fontManager
    known = set(manager.get_font_names())
    assert known >= set(FALLBACK), f"missing: {set(FALLBACK) - known}"
    for family, names in STAND_INS.items():
        entries = [entry for entry in manager.ttflist if entry.name == family]
        manager.ttflist += [
            replace(entry, name=name) for name in names if name not in known for entry in entries
        ]
    (path,) = FOLDER.glob("fontlist-*.json")
    font_manager.json_dump(manager, path)
    subprocess.run(["chmod", "-R", "a+rX,go-w", FOLDER], check=True)


add_fallback()
list_fonts()
