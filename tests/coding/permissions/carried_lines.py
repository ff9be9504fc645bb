"""Lines in which another program may do what a rule denies, and lines that only name it."""

from __future__ import annotations

# A rule that denies, and lines that may do it.
CARRIED: dict[str, list[str]] = {
    "Read(.env)": [
        "git grep --no-index ''",
        "yq 'load(\".env\")' x",
        "jq 'include \"x\"; .' y",
        "F=.e; F+=nv; cat $F",
        "declare -n r=F; F=.env; cat $r",
        "file -f .env",
        "make -f .env",
        "git commit -F .env",
        "npm --userconfig .env config ls",
    ],
    "Edit(.env)": [
        "gunzip .env.gz",
        "gzip -d .env.gz",
        "unxz .env.xz",
        "bunzip2 .env.bz2",
        "zstd -d .env.zst",
        "tar cf .env x",
        "zip .env x",
        "ar r .env x",
        "link x .env",
        "docker cp x:/y .env",
        "csplit -f .env x 1",
        "ffmpeg -i x .env",
        "convert x .env",
        "mktemp .env",
        "curl -D .env u",
        "curl -c .env u",
        "git bundle create .env HEAD",
        "git clone u .env",
        "git init .env",
        "git worktree add .env",
        "git config -f .env a.b c",
    ],
    "Bash(git push *)": [
        "echo push x | xargs git",
        "git -c alias.p=push p x",
        "git -c alias.x='!git push y' x",
        "make SHELL='git push x'",
        "git bisect run git push x",
        "env -S'git push x'",
        "env --split-string='git push x'",
        "git-push x",
        "/usr/lib/git-core/git-push x",
    ],
    "Bash(curl *)": [
        "git -c core.sshCommand='curl x' fetch",
        "tar --checkpoint-action=exec='curl x' -cf a b",
        "sed '1e curl x' f",
        "vim -c '!curl x'",
        "unbuffer curl x",
        "runuser -u x -- curl x",
        "systemd-run curl x",
        "at now <<< 'curl x'",
        "batch <<< 'curl x'",
        "gdb --args curl x",
        "valgrind curl x",
        "cp /usr/bin/curl c; ./c x",
        "ln -s /usr/bin/curl c; ./c x",
    ],
}

# A rule that denies, and lines that it is not about.
SAID: dict[str, list[str]] = {
    "Bash(curl *)": [
        "echo use curl here",
        "grep -r curl src",
        "which curl",
        "git commit -m 'use curl now'",
        "git log --grep curl",
        "pip install curl",
        "python3 src/a.py --no-curl",
        "touch libcurl",
    ],
    "Bash(git push *)": ["git commit -m 'then git push'", "git log", "git stash push -m x"],
    "Edit(.env)": ["git clone https://x.example/y z", "tar cf x.tar src", "pytest src/a.py"],
    "Read(.env)": ["jq .a src/a.json", "git grep x", "make all", "git commit -F src/a.py"],
}
