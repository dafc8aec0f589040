package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is the size of a file that one can read in one sitting.
const maxLines = 400

// longFiles may be longer, each for its reason.
var longFiles = map[string]string{}

// topLevel is all that may stand at the top of the repository.
var topLevel = []string{
	"cmd", "sensor", "classifiers", "signatures", "exporters", "packaging", "testdata",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE",
	".ci", ".gitignore", ".gitattributes", ".golangci.yml",
}

// workplace finds paths that exist only on the machine of whoever wrote them. In pieces, or it would find itself.
var workplace = regexp.MustCompile(`/(wo` + `rk|fa` + `rm)/|\.\./sha` + `red`)

// TestPackageDocs wants every package to open with what lives in it: "Package flow ..." or, for a program, "Command gnomon ...".
func TestPackageDocs(t *testing.T) {
	checked := 0
	for _, p := range list(t, "amd64") {
		name, ours := roomName(p.ImportPath)
		if !ours {
			continue
		}
		checked++
		opening := "Package " + p.Name + " "
		if p.Name == "main" {
			opening = "Command " + filepath.Base(p.ImportPath) + " "
		}
		if !strings.HasPrefix(p.Doc, opening) {
			t.Errorf("%s: its doc comment is %q; open with %q and say what lives here and what does not", name, p.Doc, opening)
		}
	}
	if checked == 0 {
		t.Error("no package of this module was listed")
	}
}

// TestFileSize keeps a file to one subject.
func TestFileSize(t *testing.T) {
	checked := 0
	for _, file := range sourceFiles(t) {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		lines := bytes.Count(read(t, file), []byte("\n"))
		checked++
		_, excused := longFiles[file]
		switch {
		case lines > maxLines && !excused:
			t.Errorf("%s has %d lines, at most %d: divide it by subject, or name it in longFiles with the reason", file, lines, maxLines)
		case lines <= maxLines && excused:
			t.Errorf("%s has %d lines and needs no excuse: take it out of longFiles", file, lines)
		}
	}
	if checked == 0 {
		t.Error("no Go file was found")
	}
}

// TestTopLevel keeps the front door as its owner fixed it.
func TestTopLevel(t *testing.T) {
	for _, fault := range strangers(sourceFiles(t)) {
		t.Errorf("%s stands at the top of the repository: find it a room (allowed: %s)", fault, strings.Join(topLevel, ", "))
	}
}

// strangers returns the top-level names of files that topLevel does not hold, each once.
func strangers(files []string) []string {
	var out []string
	for _, file := range files {
		top, _, _ := strings.Cut(file, "/")
		if !slices.Contains(topLevel, top) && !slices.Contains(out, top) {
			out = append(out, top)
		}
	}
	return out
}

func TestStrangers(t *testing.T) {
	got := strangers([]string{"go.mod", "util/a.go", "util/b.go", "cmd/gnomon/main.go", "notes.txt"})
	if want := []string{"util", "notes.txt"}; !slices.Equal(got, want) {
		t.Errorf("strangers = %q, want %q", got, want)
	}
}

// TestNoWorkplacePaths finds paths of one machine in what everyone gets. The continuous integration may look for material that
// lies beside a checkout; nothing else may.
func TestNoWorkplacePaths(t *testing.T) {
	for _, file := range sourceFiles(t) {
		if file == "Makefile" || strings.HasPrefix(file, ".ci/") {
			continue
		}
		for _, fault := range workplacePaths(read(t, file)) {
			t.Errorf("%s:%s", file, fault)
		}
	}
}

// workplacePaths returns "line: text" for every line of a text file with such a path. A file with a NUL is not text.
func workplacePaths(content []byte) []string {
	if bytes.IndexByte(content, 0) >= 0 {
		return nil
	}
	var out []string
	n := 0
	for line := range bytes.Lines(content) {
		n++
		if workplace.Match(line) {
			out = append(out, fmt.Sprintf("%d: %s", n, bytes.TrimSpace(line)))
		}
	}
	return out
}

func TestWorkplacePaths(t *testing.T) {
	tests := []struct {
		name, content string
		want          []string
	}{
		{"clean", "one\ntwo /workers/ ../share\n", nil},
		{"absolute", "one\n see /wo" + "rk/here\n", []string{"2: see /wo" + "rk/here"}},
		{"beside", "cp ../sha" + "red/x .", []string{"1: cp ../sha" + "red/x ."}},
		{"binary", "\x00 /wo" + "rk/here\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := workplacePaths([]byte(tt.content)); !slices.Equal(got, tt.want) {
				t.Errorf("workplacePaths = %q, want %q", got, tt.want)
			}
		})
	}
}

// root is the top of the repository, seen from this package.
const root = "../.."

// list asks the go command for every package of the module and everything that those import, with cgo on, so that it shows.
func list(t *testing.T, arch string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-pgo=off", "-deps", "-json=ImportPath,Name,Doc,Standard,CgoFiles,Imports", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing the packages of the module: %v\n%s", err, stderr.String())
	}
	var packages []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("reading what go list printed: %v", err)
		}
		packages = append(packages, p)
	}
}

// sourceFiles is what git tracks, or in an unpacked archive every file; paths are relative to root, with slashes.
func sourceFiles(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		return walk(t)
	}
	// Whoever owns the checkout: the tests only read.
	out, err := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		t.Fatalf("listing tracked files: %v; install git, or test an unpacked archive without .git", err)
	}
	var files []string
	for file := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(root, file)); err == nil && info.Mode().IsRegular() { // not those deleted but not committed
			files = append(files, file)
		}
	}
	return files
}

func walk(t *testing.T) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatalf("walking the source: %v", err)
	}
	return files
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatalf("reading a source file: %v", err)
	}
	return content
}
