// Package dashboard is the pages: adoption at a glance, services, departments, users, findings, what the sensor saw and what it stores.
// Pages are drawn on the server, need no JavaScript, and read through query.Query, whatever store stands behind it. What a viewer may not
// see is left out here, before anything is drawn: names, addresses, small departments. This package writes nothing and keeps nothing but
// sessions (see login); documents for printing and mailing are made in package report.
//
//	request ── headers ── host allow-list ── cross-origin check ── who asks (login, proxy or this machine) ── page
//	page    ── up to six questions to the store at once ── view (texts, tables, charts) ── templates
package dashboard
