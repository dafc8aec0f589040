package report

import (
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"io"
)

//go:embed report.html.tmpl
var page string

// pageTemplate writes a document. The page holds its style and its drawings, and no script; it loads nothing. It is read for each
// document, since most commands write none: it would take its 0.4 ms of every start.
func pageTemplate() *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{
		"draw":       (*chart).draw,
		"hundredths": func(f float64) string { return fmt.Sprintf("%.2f", f) },
		"share":      func(f float64) string { return fmt.Sprintf("%.1f", f*100) },
		"paper":      func(p Paper) string { return map[Paper]string{A4: "A4", Letter: "letter"}[p] },
		"add":        func(a, b float64) float64 { return a + b },
	}).Parse(page))
}

// WriteHTML writes one page that needs nothing else: it can be mailed, opened from a disk, and printed. It is the form for assistive technology.
func (r *Report) WriteHTML(w io.Writer) error {
	return pageTemplate().Execute(w, struct {
		*document
		Paper Paper
		Long  bool
	}{layout(r), r.paper, r.Audience == DLP})
}
