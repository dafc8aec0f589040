// Package report writes documents for people about a period: one for management, in which no person appears, and one for those who
// prevent data loss, with every unapproved use, its evidence and its bounds.
//
// Build asks a query.Query once and returns a Report; text, HTML, CSV, PDF and JSON are all written from that one value, so they agree:
//
//	query.Query ──Build──> Report ──┬── WriteJSON, WriteCSV              the figures, for programs and spreadsheets
//	                                └── layout ── WriteText, WriteHTML, WritePDF   the same, arranged for reading
//
// The same data and the same request give the same bytes. The accessible form is HTML: the PDF library writes no tags.
//
// What is counted, and how, is the business of whatever stands behind Query; who may ask for which report is that of the program.
package report
