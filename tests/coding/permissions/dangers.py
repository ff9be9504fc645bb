"""Lines that start a command or write a file by what looks like an option or data.

Each is for a rule that allows its program with a star; each makes a file called canary.
"""

from __future__ import annotations

DANGERS: dict[str, list[str]] = {
    "Bash(git *)": [
        "git -c core.fsmonitor='touch canary' status",
        "git -c alias.x='!touch canary' x",
        "git -C sub status",
        "cd sub && git status",
        "(cd sub; git status)",
        "git clone -q -u 'touch canary;' . copied",
        "git clone -q --upload-p='touch canary;' . copied",
        "git clone -q --template=template . copied",
        "git -c protocol.ext.allow=always ls-remote 'ext::sh -c touch% canary'",
        "git ls-remote --upload-pack='touch canary;' .",
        "git fetch --upload-pack='touch canary;' .",
        "git push --receive-pack='touch canary;' . main:other",
        "git grep -Otouch -e canary -- canary.txt; mv canary.txt canary",
        "git grep --open-files-in-pager='touch canary;' one",
        "git rebase -q -x 'touch canary' HEAD~1",
        "git rebase -q --exec='touch canary' HEAD~1",
        "git bisect start HEAD HEAD~1; git bisect run touch canary",
        "git difftool -y -x 'touch canary;' HEAD~1",
        "git config core.fsmonitor 'touch canary'; git status",
        "git diff HEAD~1 --output=canary",
        "GIT_EXTERNAL_DIFF='touch canary;' git diff HEAD~1",
        "GIT_SSH_COMMAND='touch canary;' git ls-remote ssh://x/y",
        "PATH=.:$PATH; git log",
        "PATH=bin:$PATH git log",
        "git() { touch canary; }; git log",
        "hash -p ./bin/git git; git log",
        "./bin/git log",
        'git log "$(touch canary)"',
        "git log `touch canary`",
        "git log <(touch canary)",
        "git log > canary",
        "git log || touch canary; touch canary",
        "for f in a; do touch canary; done",
        "if git log; then touch canary; fi",
        "! touch canary",
        "{ git log; touch canary; }",
    ],
    "Bash(sed *)": [
        "sed '1e touch canary' a.txt",
        "sed -n '1e touch canary' a.txt",
        "sed --expression='1e touch canary' a.txt",
        "sed --expr='1e touch canary' a.txt",
        "sed -e p -e '1e touch canary' a.txt",
        "sed -ne'1e touch canary' a.txt",
        "sed 's/one/touch canary/e' a.txt",
        "sed 's,one,touch canary,e' a.txt",
        "sed 'sxonextouch canaryxe' a.txt",
        "sed 's one touch\\ canary e' a.txt",
        "sed 's|one|touch canary|ge;p' a.txt",
        "sed '/one/{e touch canary\n}' a.txt",
        "sed '\\,one,e touch canary' a.txt",
        "sed '1!{e touch canary\n};p;1e touch canary' a.txt",
        "sed 'y/a/b/;e touch canary' a.txt",
        "sed 'w canary' a.txt",
        "sed 's/o/x/w canary' a.txt",
        "sed -n '1W canary' a.txt",
        "sed -f evil.sed a.txt",
        "sed -fevil.sed a.txt",
        "sed -s -E --fil=evil.sed a.txt",
        "cp a.txt canary.txt; sed -ni p a.txt; mv a.txt canary",
    ],
    "Bash(awk *)": [
        "awk 'BEGIN{system(\"touch canary\")}'",
        'awk \'BEGIN{print "touch canary" | "sh"}\'',
        "awk 'BEGIN{\"touch canary\" | getline}'",
        "awk 'BEGIN{print > \"canary\"}'",
        'awk \'BEGIN{printf "" >> "canary"}\'',
        "awk -f evil.awk",
        "awk -fevil.awk",
        "awk -v x=1 -f evil.awk",
        "awk -W exec evil.awk",
    ],
    "Bash(tar *)": [
        "tar xf a.tar --to-command='touch canary;'",
        "tar tf a.tar --checkpoint=1 --checkpoint-action=exec='touch canary'",
        "tar tf a.tar -I ./evil",
        "tar tf a.tar -I./evil",
        "tar tf a.tar --use-comp=./evil",
        "tar -cf canary a.txt",
        "tar cfv canary a.txt",
    ],
    "Bash(find *)": [
        "find . -maxdepth 0 -exec touch canary \\;",
        "find . -maxdepth 0 -fprint canary",
        "find . -maxdepth 0 -fprintf canary x",
        "find . -maxdepth 0 -fls canary",
    ],
    "Bash(make *)": [
        "make -f evil.mk",
        "make -fevil.mk",
        "make --fil=evil.mk",
        "make SHELL=./evil all",
        "make --eval='x := $(shell touch canary)' all",
        "make -C sub/.. -f evil.mk",
    ],
    "Bash(env *)": [
        "env touch canary",
        "env -S 'touch canary'",
        "env -i /usr/bin/touch canary",
        "env A=1 touch canary",
        "env PATH=bin:/bin git log",
    ],
    "Bash(xargs *)": [
        "echo canary | xargs touch",
        "echo canary | xargs -I{} touch {}",
        "echo touch canary | xargs -I{} sh -c {}",
        "xargs touch canary < a.txt",
    ],
    "Bash(timeout *)": [
        "timeout 5 touch canary",
    ],
    "Bash(nice *)": [
        "nice touch canary",
        "nice -n 5 touch canary",
    ],
    "Bash(nohup *)": [
        "nohup touch canary",
    ],
    "Bash(stdbuf *)": [
        "stdbuf -oL touch canary",
    ],
    "Bash(command *)": [
        "command touch canary",
    ],
    "Bash(time *)": [
        "time touch canary",
    ],
    "Bash(exec *)": [
        "exec touch canary",
    ],
    "Bash(builtin *)": [
        "builtin eval touch canary",
    ],
    "Bash(sort *)": [
        "sort -o canary a.txt",
        "sort -uocanary a.txt",
        "sort --outp=canary a.txt",
    ],
    "Bash(rg *)": [
        "rg --pre=./evil one a.txt",
        "rg --pre ./evil one a.txt",
    ],
    "Bash(python3 *)": [
        'python3 -c \'open("canary", "w")\'',
        'python3 -uc \'open("canary", "w")\'',
        "python3 -m evil",
        'echo \'open("canary", "w")\' | python3',
        'echo \'open("canary", "w")\' | python3 -',
        "python3 evil.py",
    ],
    "Bash(perl *)": [
        "perl -e 'system \"touch canary\"'",
        "perl -ne 'system \"touch canary\"' a.txt",
    ],
    "Bash(bash *)": [
        "bash -c 'touch canary'",
        "bash evil",
        "echo touch canary | bash",
    ],
    "Bash(ssh *)": [
        "ssh -o ProxyCommand='touch canary' host",
        "ssh -oProxyCommand='touch canary' host",
        "ssh host -oProxyCommand='touch canary'",
        "ssh -F evil.ssh host",
    ],
    "Bash(curl *)": [
        "curl -s -o canary file://$PWD/a.txt",
        "curl -socanary file://$PWD/a.txt",
        "curl -s --output canary file://$PWD/a.txt",
        "curl -sK evil.curl",
    ],
    "Bash(tee *)": [
        "echo | tee .git/hooks/canary; mv .git/hooks/canary .",
    ],
    "Bash(cp *)": [
        "cp a.txt .git/canary && mv .git/canary .",
        "cp -t .git a.txt; mv .git/a.txt canary",
    ],
    "Bash(dd *)": [
        "dd if=a.txt of=canary",
    ],
    "Bash(ed *)": [
        "echo '!touch canary' | ed -s a.txt",
    ],
    "Bash(vim *)": [
        "vim -es -c '!touch canary' -c q",
    ],
    "Bash(gdb *)": [
        "gdb -batch -ex 'shell touch canary'",
    ],
    "Bash(gcc *)": [
        "gcc -wrapper ./evil -c a.c",
        "gcc @evil.gcc",
    ],
    "Bash(sqlite3 *)": [
        "sqlite3 :memory: '.shell touch canary'",
    ],
    "Bash(flock *)": [
        "flock a.txt touch canary",
    ],
    "Bash(strace *)": [
        "strace -o canary true",
    ],
    "Bash(zip *)": [
        "zip -q x.zip a.txt -T -TT 'touch canary;'",
    ],
    "Bash(npm *)": [
        "npm run evil",
        "npm exec -c 'touch canary'",
    ],
    "Bash(node *)": [
        'node -e \'require("fs").writeFileSync("canary", "")\'',
        "node -r ./evil.js -e 1",
    ],
    "Bash(echo *)": [
        "echo ${x:=$(touch canary)}",
        "echo $((a[$(touch canary)]))",
        "echo x > canary",
    ],
    "Bash(test *)": [
        "test -v 'a[$(touch canary)]'",
    ],
    "Bash(printf *)": [
        "printf -v 'a[$(touch canary)]' x",
    ],
    "Bash(unknowntool *)": [
        "unknowntool; touch canary",
        "unknowntool $(touch canary)",
        "unknowntool > canary",
    ],
}
