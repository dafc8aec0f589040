// Package policy says what the organisation thinks of the use of a service, as of the time of the use, and what of it wants a person's
// eyes: findings. It does not find out which service it is (see classifiers) or who used it (see identity), and blocks nothing.
//
// Judge writes a status into every activity record; it comes before privacy, for rules may ask for networks and departments. Findings
// looks at records behind privacy, so that what it writes names nobody whom the records do not name.
//
//	activity -> identity -> Judge -> privacy -> Findings.Activity ---+
//	                                   coverage -> Findings.Coverage +--> findings
package policy
