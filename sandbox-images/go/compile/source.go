package main

import (
	"bytes"
	"go/ast"
	gobuild "go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A source is one Go file: where its text lies, and what its syntax tree says of it.
type source struct {
	name       string // as the workspace has it
	path       string // where its text lies
	pkg        string
	mainAt     int // offset of main's name, 0 for none
	tests      []string
	benchmarks []string
	embeds     bool
	importsC   bool
}

func (s source) isTestFile() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) hasTests() bool { return len(s.tests)+len(s.benchmarks) > 0 }

// base is the package that a file belongs to: an external test's is the one under test.
func (s source) base() string {
	if s.hasTests() || s.isTestFile() {
		return strings.TrimSuffix(s.pkg, "_test")
	}
	return s.pkg
}

// parse reads a file as far as it is valid; the compiler reports what is not.
func parse(path, name string) source {
	found := source{name: name, path: path}
	text, err := os.ReadFile(path)
	if err != nil {
		return found
	}
	files := token.NewFileSet()
	tree, _ := parser.ParseFile(files, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if tree == nil || tree.Name == nil {
		return found
	}
	found.pkg = tree.Name.Name
	found.embeds = bytes.Contains(text, []byte("//go:embed"))
	found.importsC = imports(tree, "C")
	for _, declared := range tree.Decls {
		if function, is := declared.(*ast.FuncDecl); is && function.Recv == nil {
			found.add(function, files)
		}
	}
	for _, example := range doc.Examples(tree) {
		if example.Output != "" || example.EmptyOutput {
			found.tests = append(found.tests, "Example"+example.Name)
		}
	}
	return found
}

func (s *source) add(function *ast.FuncDecl, files *token.FileSet) {
	name := function.Name.Name
	switch {
	case name == "main" && s.pkg == "main":
		s.mainAt = files.Position(function.Name.Pos()).Offset
	case takes(function, "M"):
	case isNamed(name, "Test") && takes(function, "T"), isNamed(name, "Fuzz") && takes(function, "F"):
		s.tests = append(s.tests, name)
	case isNamed(name, "Benchmark") && takes(function, "B"):
		s.benchmarks = append(s.benchmarks, name)
	}
}

// isNamed is the rule of `go test`: no lower-case letter follows the prefix.
func isNamed(name, prefix string) bool {
	rest, found := strings.CutPrefix(name, prefix)
	first, _ := utf8.DecodeRuneInString(rest)
	return found && (rest == "" || !unicode.IsLower(first))
}

// takes says whether the only parameter looks like a *testing.KIND.
func takes(function *ast.FuncDecl, kind string) bool {
	parameters := function.Type.Params.List
	if len(parameters) != 1 || len(parameters[0].Names) > 1 {
		return false
	}
	switch typed := unpointed(parameters[0].Type).(type) {
	case *ast.SelectorExpr:
		return typed.Sel.Name == kind
	case *ast.Ident:
		return typed.Name == kind
	}
	return false
}

func unpointed(typed ast.Expr) ast.Expr {
	if pointer, is := typed.(*ast.StarExpr); is {
		return pointer.X
	}
	return typed
}

func imports(tree *ast.File, path string) bool {
	for _, imported := range tree.Imports {
		if imported.Path != nil && imported.Path.Value == `"`+path+`"` {
			return true
		}
	}
	return false
}

// parseOthers finds the workspace's files that this system would compile, of whatever package.
func parseOthers(snippet source) []source {
	var found []source
	names, _ := filepath.Glob("*.go")
	for _, name := range names {
		path := filepath.Join(workspace, name)
		matches, err := gobuild.Default.MatchFile(workspace, name)
		if path == snippet.path || !matches || err != nil {
			continue
		}
		if other := parse(path, name); !other.importsC {
			found = append(found, other)
		}
	}
	return found
}
