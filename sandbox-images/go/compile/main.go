// Command compile makes a program, or a test, of the Go files in the workspace: compile OUT [SNIPPET].
//
// The snippet's file may lie anywhere; the workspace's own Go files belong to the same package, are never changed, and
// are left out where the snippet cannot be compiled with them. Which file is what is read from its syntax tree.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	workspace = "/workspace"
	program   = workspace + "/main.go"
)

func main() {
	out, snippet := os.Args[1], program
	// What Go counts of its own use is no file of the user's.
	os.Setenv("XDG_CONFIG_HOME", filepath.Join(filepath.Dir(out), "config"))
	if len(os.Args) > 2 {
		snippet = os.Args[2]
	}
	if err := run(out, snippet); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out, path string) error {
	if err := os.Chdir(workspace); err != nil {
		return err
	}
	snippet := parse(path, filepath.Base(path))
	if snippet.importsC {
		return fmt.Errorf("%s: import \"C\" needs cgo and a C compiler, which Go sandboxes do not have; "+
			"write that part in Go", snippet.name)
	}
	scratch, err := os.MkdirTemp(filepath.Dir(out), "compile")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	return build(job{out: out, scratch: scratch, snippet: snippet, others: parseOthers(snippet)})
}
