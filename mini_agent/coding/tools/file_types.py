"""The types of files that Grep knows without ripgrep: its names, and the globs they stand for."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

# The common ones of `rg --type-list`.
FILE_TYPES: Final = MappingProxyType[str, tuple[str, ...]](
    {
        name: tuple(globs.split())
        for name, globs in {
            "c": "*.[chH] *.[chH].in *.cats",
            "cmake": "*.cmake CMakeLists.txt",
            "cpp": "*.[ChH] *.[ChH].in *.[ch]pp *.[ch]pp.in *.[ch]xx *.[ch]xx.in *.cc *.cc.in "
            "*.hh *.hh.in *.inl",
            "cs": "*.cs",
            "csharp": "*.cs",
            "css": "*.css *.scss",
            "csv": "*.csv",
            "dart": "*.dart",
            "docker": "*Dockerfile*",
            "elixir": "*.ex *.eex *.exs *.heex *.leex *.livemd",
            "erlang": "*.erl *.hrl",
            "go": "*.go",
            "graphql": "*.graphql *.graphqls",
            "groovy": "*.groovy *.gradle",
            "h": "*.h *.hh *.hpp",
            "haskell": "*.c2hs *.cpphs *.hs *.hsc *.lhs",
            "html": "*.ejs *.htm *.html",
            "java": "*.java *.jsp *.jspx *.properties",
            "js": "*.cjs *.js *.jsx *.mjs *.vue",
            "json": "*.json *.sarif composer.lock",
            "jsonl": "*.jsonl",
            "julia": "*.jl",
            "jupyter": "*.ipynb *.jpynb",
            "kotlin": "*.kt *.kts",
            "less": "*.less",
            "log": "*.log",
            "lua": "*.lua",
            "make": "*.mak *.mk GNUmakefile Gnumakefile Makefile gnumakefile makefile "
            "[Gg][Nn][Uu]makefile",
            "markdown": "*.markdown *.md *.mdown *.mdwn *.mdx *.mkd *.mkdn",
            "md": "*.markdown *.md *.mdown *.mdwn *.mdx *.mkd *.mkdn",
            "nix": "*.nix",
            "objc": "*.h *.m",
            "ocaml": "*.ml *.mli *.mll *.mly",
            "perl": "*.PL *.perl *.pl *.plh *.plx *.pm *.t",
            "php": "*.php *.php3 *.php4 *.php5 *.php7 *.php8 *.pht *.phtml",
            "protobuf": "*.proto",
            "ps": "*.cdxml *.ps1 *.ps1xml *.psd1 *.psm1",
            "py": "*.py *.pyi",
            "python": "*.py *.pyi",
            "r": "*.R *.Rmd *.Rnw *.r",
            "rst": "*.rst",
            "ruby": "*.gemspec *.rb *.rbw .irbrc Gemfile Rakefile config.ru",
            "rust": "*.rs",
            "sass": "*.sass *.scss",
            "scala": "*.sbt *.scala",
            "sh": "*.bash *.bashrc *.csh *.cshrc *.ksh *.kshrc *.sh *.tcsh *.zsh .bash_login "
            ".bash_logout .bash_profile .bashrc .profile .zlogin .zlogout .zprofile .zshenv "
            ".zshrc bash_profile bashrc profile zshrc",
            "sql": "*.psql *.sql",
            "svelte": "*.svelte",
            "svg": "*.svg",
            "swift": "*.swift",
            "tex": "*.bib *.cls *.dtx *.ins *.ltx *.sty *.tex",
            "tf": "*.terraform.lock.hcl *.terraformrc *.tf *.tf.json *.tfrc *.tfvars "
            "*.tfvars.json terraform.rc",
            "toml": "*.toml Cargo.lock",
            "ts": "*.cts *.mts *.ts *.tsx",
            "typescript": "*.cts *.mts *.ts *.tsx",
            "txt": "*.txt",
            "vim": "*.vim .vimrc vimrc",
            "vue": "*.vue",
            "xml": "*.dtd *.rng *.sch *.xhtml *.xjb *.xml *.xml.dist *.xsd *.xsl *.xslt",
            "yaml": "*.yaml *.yml",
            "zig": "*.zig",
        }.items()
    }
)
