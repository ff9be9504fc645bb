package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	tools    = "/opt/mini-agent/go-tools"
	library  = "/opt/mini-agent/go-library"
	testTail = "_test.go"
)

// compile makes the attempt's program, or its test behind a script that takes the options of `go test`.
func (j job) compile(a attempt) error {
	if a.test {
		binary := j.out + ".test"
		if err := j.goTool(a, "test", "-c", "-vet=off", "-o", binary); err != nil {
			return err
		}
		return writeScript(j.out, binary, a.files)
	}
	if j.isSimple(a) && j.direct(a) == nil {
		return nil
	}
	return j.goTool(a, "build", "-o", j.out)
}

// check says what is wrong with files that make no program.
func (j job) check(files []source) error {
	a := attempt{files: files}
	if j.isSimple(a) && j.archive(a) == nil {
		return nil
	}
	return j.goTool(a, "build", "-o", os.DevNull)
}

// isSimple says whether the compiler and the linker can be called directly, in half the time of `go build`.
func (j job) isSimple(a attempt) bool {
	return !exists("go.mod") && !slices.ContainsFunc(a.files, func(s source) bool { return s.embeds })
}

func (j job) direct(a attempt) error {
	if err := j.archive(a); err != nil {
		return err
	}
	defer os.Remove(j.archivePath())
	return call(tools+"/link", "-o", j.out, "-importcfg", library, "-s", j.archivePath())
}

func (j job) archive(a attempt) error {
	places := []string{filepath.Dir(j.snippet.path) + "=>" + workspace, j.scratch + "=>" + workspace}
	arguments := []string{"-o", j.archivePath(), "-p", a.files[0].base(), "-importcfg", library, "-pack", "-complete",
		"-trimpath", strings.Join(places, ";")}
	for _, file := range a.files {
		path, err := j.text(file)
		if err != nil {
			return err
		}
		arguments = append(arguments, path)
	}
	return call(tools+"/compile", arguments...)
}

func (j job) archivePath() string { return filepath.Join(j.scratch, "program.a") }

// goTool leaves the attempt to go itself, whose messages are what users know.
func (j job) goTool(a attempt, command ...string) error {
	overlay, names, err := j.overlay(a)
	if err != nil {
		return err
	}
	arguments := append(command, "-overlay", overlay)
	if exists("go.mod") && !j.isForeign() {
		names = []string{"."}
	}
	return call("go", append(arguments, names...)...)
}

// isForeign says whether the module's folder holds another package than the snippet's.
func (j job) isForeign() bool {
	return slices.ContainsFunc(j.others, func(other source) bool { return other.base() != j.snippet.base() })
}

// overlay writes which text go is to see in the place of which file, and lists the files of the attempt.
func (j job) overlay(a attempt) (path string, names []string, err error) {
	seen := map[string]string{}
	for _, file := range append(slices.Clone(j.others), j.snippet) {
		// An empty place is a file that is not there.
		seen[filepath.Join(workspace, file.name)] = ""
	}
	for _, file := range a.files {
		name := file.name
		if file.path == j.snippet.path {
			name = j.virtualName(a.test && file.hasTests())
		}
		if seen[filepath.Join(workspace, name)], err = j.text(file); err != nil {
			return "", nil, err
		}
		names = append(names, filepath.Join(workspace, name))
	}
	for _, other := range j.others {
		if other.base() != j.snippet.base() {
			delete(seen, filepath.Join(workspace, other.name))
		}
	}
	path = filepath.Join(j.scratch, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": seen})
	if err != nil {
		return "", nil, err
	}
	return path, names, os.WriteFile(path, text, 0o644)
}

// virtualName is what the snippet's file is called for go: a name that no file of the user has.
func (j job) virtualName(test bool) string {
	stem, tail, folder := strings.TrimSuffix(j.snippet.name, ".go"), ".go", ""
	if test {
		stem, tail = strings.TrimSuffix(stem, "_test"), testTail
	}
	if j.isForeign() && exists("go.mod") {
		folder = filepath.Base(filepath.Dir(j.out)) + "/snippet/"
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(j.others, func(other source) bool { return other.name == name })
	}
	for taken(folder + stem + tail) {
		stem += "_snippet"
	}
	return folder + stem + tail
}

// text is where a file's text lies: where a main is hidden, a copy in which it is called _ instead.
func (j job) text(file source) (string, error) {
	if file.mainAt >= 0 {
		return file.path, nil
	}
	text, err := os.ReadFile(file.path)
	if err != nil {
		return "", err
	}
	copy(text[-file.mainAt:], "_   ")
	path := filepath.Join(j.scratch, file.name)
	return path, os.WriteFile(path, text, 0o644)
}

func call(command string, arguments ...string) error {
	said, err := exec.Command(command, arguments...).CombinedOutput()
	if err == nil {
		return nil
	}
	if text := bytes.TrimRight(said, "\n"); len(text) > 0 {
		return errors.New(string(text))
	}
	return fmt.Errorf("%s: %w", filepath.Base(command), err)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

const script = `#!/bin/sh
# Takes the options of go test, as -v, beside the test binary's own, as -test.v.
for option do
  shift
  case $option in
    -v|-v=*|-run|-run=*|-skip|-skip=*|-list|-list=*|-short|-short=*|-failfast|-failfast=*|-count|-count=*|\
    -bench|-bench=*|-benchmem|-benchmem=*|-benchtime|-benchtime=*|-cpu|-cpu=*|-parallel|-parallel=*|\
    -timeout|-timeout=*|-shuffle|-shuffle=*) option=-test.${option#-} ;;
  esac
  set -- "$@" "$option"
done
exec "%s"%s "$@"
`

// writeScript puts the test binary's starter where the program is expected; benchmarks alone are run as such.
func writeScript(out, binary string, files []source) error {
	options := ""
	if !slices.ContainsFunc(files, func(s source) bool { return len(s.tests) > 0 }) {
		options = " -test.bench=."
	}
	return os.WriteFile(out, fmt.Appendf(nil, script, binary, options), 0o755)
}
