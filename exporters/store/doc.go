// Package store is the embedded default store: one SQLite file that takes records in (exporters.Exporter) and answers questions about
// them (query.Query). It does not decide what is counted or who a user is (the record says so), does not retry (see spool) and draws
// nothing (see dashboard and report).
//
// A record is stored when its transaction has reached the disk: there is no other durable copy of it.
//
//	Export ──┬── record_N       the record itself, compressed, in a part of the day it was taken in; a part is dropped as a whole
//	         ├── visit_N        where each visit began
//	         ├── fresh          sums per hour, one small blob for each batch and day; 16 of a tier are merged into one of the next
//	         ├── coverage       per hour
//	         └── blind          clients that hide names, per day, as long as records
//	PutNames ── names         contacts with names that are in no catalogue: a blob for each day, without users, for 90 days
//	Maintain ── fresh ─┬─ block   of a day that is over: sums per hour, per day and per month, in columns, 1024 users each
//	                   └─ digest  the same of a day and of a month by site, status and use, with the users of each as a set
//
//	Sums     ── digests, where the question is about no more than they say; else
//	            months within the period from block level 2, days at its edges from level 1, hours at theirs from level 0, and fresh
//
// Sums are kept by (hour, user, facet); a facet is what a record says besides who and when: site, service, status, department, use.
// SQLite keeps and finds the blobs; adding up is done here, because a year has millions of rows and counting distinct users over them
// row by row takes seconds.
//
// A year of 10,000 users and 300 services, 27 million records of one visit each, as package yeartest makes it: 21.9 million rows of hours
// (625 MB), 7.3 million of days (216 MB), 1.3 million of months (43 MB), digests of 10 MB, and 2.2 million records of the last month (1.4 GB,
// 660 bytes each with their indexes). On two cores a question over the year that digests answer takes 3 to 5 ms, by week or day 45 ms, one
// that months answer 20 to 70 ms, by department and service 200 ms; a user's year 5 ms.
package store
