package main

import (
	"fmt"
	"os"
	"slices"
)

// A job is what is to be compiled, and where its program goes.
type job struct {
	out     string
	scratch string
	snippet source
	others  []source
}

// An attempt is a set of files that may compile.
type attempt struct {
	test  bool
	files []source // the snippet first
}

func build(j job) error {
	attempts := plan(j)
	if len(attempts) == 0 {
		return j.explain()
	}
	first := j.compile(attempts[0])
	if first == nil {
		return nil
	}
	for _, fewer := range attempts[1:] {
		if j.compile(fewer) == nil {
			left := leftOut(attempts[0], fewer)
			fmt.Fprintf(os.Stderr, "note: compiled without %v, with which it does not compile:\n%v\n", left, first)
			return nil
		}
	}
	return first
}

// plan lists what may be compiled, the most files first; nothing where there is nothing to run.
func plan(j job) []attempt {
	sources, tests := j.package_()
	alone := []source{j.snippet}
	switch {
	case j.snippet.mainAt > 0:
		warnOfTests(j.snippet)
		return distinct(attempt{files: append(alone, withoutMain(sources)...)}, attempt{files: alone})
	case j.snippet.hasTests():
		everything := slices.Concat(alone, oneMain(sources), tests)
		return distinct(
			attempt{true, everything}, attempt{true, slices.Concat(alone, oneMain(sources))}, attempt{true, alone})
	case j.snippet.pkg == "main" && slices.ContainsFunc(sources, hasMain):
		return []attempt{{files: append(alone, oneMain(sources)...)}}
	case slices.ContainsFunc(tests, source.hasTests):
		return []attempt{{true, slices.Concat(alone, oneMain(sources), tests)}}
	}
	return nil
}

// package_ gives the other files of the snippet's package: sources and tests.
func (j job) package_() (sources, tests []source) {
	for _, other := range j.others {
		if other.base() != j.snippet.base() {
			continue
		}
		if other.isTestFile() {
			tests = append(tests, other)
		} else {
			sources = append(sources, other)
		}
	}
	return sources, tests
}

// explain says why there is nothing to run; what the compiler has to say comes first.
func (j job) explain() error {
	sources, _ := j.package_()
	if err := j.check(append([]source{j.snippet}, sources...)); err != nil {
		return err
	}
	if j.snippet.pkg != "main" {
		return fmt.Errorf("%s is of package %s: only package main is a program, and there is no test to run",
			j.snippet.name, j.snippet.pkg)
	}
	return fmt.Errorf("%s has no func main and no test: there is nothing to run", j.snippet.name)
}

func warnOfTests(snippet source) {
	if names := slices.Concat(snippet.tests, snippet.benchmarks); len(names) > 0 {
		fmt.Fprintf(os.Stderr, "note: not run, as %s has a func main: %v; tests are run where there is none\n",
			snippet.name, names)
	}
}

func hasMain(s source) bool { return s.mainAt > 0 }

// withoutMain gives files whose main is to be hidden: the snippet has its own.
func withoutMain(files []source) []source {
	var hidden []source
	for _, file := range files {
		hidden = append(hidden, file.hidden())
	}
	return hidden
}

func oneMain(files []source) []source {
	first := slices.IndexFunc(files, hasMain)
	if first < 0 {
		return files
	}
	return slices.Concat(files[:first+1], withoutMain(files[first+1:]))
}

// hidden marks a file's main as one that is not to be called.
func (s source) hidden() source {
	s.mainAt = -s.mainAt
	return s
}

func distinct(attempts ...attempt) []attempt {
	return slices.CompactFunc(attempts, func(a, b attempt) bool { return len(a.files) == len(b.files) })
}

func leftOut(all, fewer attempt) []string {
	var names []string
	for _, file := range all.files {
		if !slices.ContainsFunc(fewer.files, func(kept source) bool { return kept.path == file.path }) {
			names = append(names, file.name)
		}
	}
	return names
}
