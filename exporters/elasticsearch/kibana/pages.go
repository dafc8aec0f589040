// Package kibana describes the data views and dashboards that Kibana shows of records, and writes them as saved objects. It knows nothing of a
// cluster: setup puts them there, and packaging/kibana holds them for whoever imports them by hand.
//
// They are written in the form of Kibana 8.8, which every later 8.x and 9.x can import. Panels lie in their dashboards by value, so that
// nothing can be imported without what it refers to.
package kibana

// Identifiers of data views, which panels refer to.
const (
	activityView = "gnomon-activity"
	findingView  = "gnomon-finding"
	coverageView = "gnomon-coverage"
)

// Kinds of panels.
const (
	figurePanel = "lnsMetric"
	chartPanel  = "lnsXY"
	tablePanel  = "lnsDatatable"
)

// column is a figure or a grouping of a panel.
type column struct {
	label string
	op    string // an operation of Lens
	field string
	where string // KQL: which records count for it
	size  int    // of terms
	form  string // bytes; empty: a number
}

// panel is one figure, chart or table; the last grouping of a chart is its colour. All stand on a grid of 48 columns.
type panel struct {
	title, kind, view, where string
	by, show                 []column
	x, y, w, h               int
}

// page is a dashboard.
type page struct {
	id, title, says string
	from            string // where its time begins
	panels          []panel
}

// What figures are made of.
func overTime() column { return column{label: "Time", op: "date_histogram", field: "@timestamp"} }
func users() column {
	return column{label: "Users", op: "unique_count", field: "user.id", where: "not gnomon.attribution.shared: true and not gnomon.use: background"}
}
func visits() column {
	return column{label: "Visits", op: "count", field: records, where: "gnomon.visit.first: true"}
}
func upload() column {
	return column{label: "Upload (estimate)", op: "sum", field: "gnomon.upload.bytes", form: "bytes"}
}
func uploadHigh() column {
	return column{label: "at most", op: "sum", field: "gnomon.upload.high", form: "bytes"}
}
func uploadLow() column {
	return column{label: "at least", op: "sum", field: "gnomon.upload.low", form: "bytes"}
}
func last() column { return column{label: "Last", op: "last_value", field: "@timestamp"} }

func top(label, field string, size int) column {
	return column{label: label, op: "terms", field: field, size: size}
}

func sum(label, field string) column { return column{label: label, op: "sum", field: field} }

func services(size int) column { return top("Service", "rule.name", size) }
func statuses() column         { return top("Policy", "gnomon.policy.status", 5) }

// counted are the records that sums take.
const counted = "gnomon.counted: true"

// unapproved is use that nobody has allowed.
const unapproved = counted + " and gnomon.policy.status: (prohibited or unreviewed or in-review)"

// pages are the dashboards.
func pages() []page {
	return []page{
		{id: "gnomon-adoption", title: "AI services: adoption", says: "Which AI services are used, how much, and whether they are approved. Names no person.", from: "now-30d",
			panels: []panel{
				{"Users", figurePanel, activityView, counted, nil, []column{users()}, 0, 0, 12, 6},
				{"Visits", figurePanel, activityView, counted, nil, []column{visits()}, 12, 0, 12, 6},
				{"Upload", figurePanel, activityView, counted, nil, []column{upload()}, 24, 0, 12, 6},
				{"Services", figurePanel, activityView, counted, nil, []column{{label: "Services", op: "unique_count", field: "gnomon.service.id"}}, 36, 0, 12, 6},
				{"Visits by approval", chartPanel, activityView, counted, []column{overTime(), statuses()}, []column{visits()}, 0, 6, 24, 14},
				{"Visits by category", chartPanel, activityView, counted, []column{overTime(), top("Category", "gnomon.service.category", 8)}, []column{visits()}, 24, 6, 24, 14},
				{"Services", tablePanel, activityView, counted, []column{services(50), statuses()}, []column{users(), visits(), upload(), uploadLow(), uploadHigh()}, 0, 20, 48, 18},
			}},
		{id: "gnomon-unapproved", title: "AI services: unapproved use", says: "Use that nobody has approved: which service, by whom, how much went up. For those who may see names and pseudonyms.", from: "now-7d",
			panels: []panel{
				{"Users", figurePanel, activityView, unapproved, nil, []column{users()}, 0, 0, 16, 6},
				{"Upload", figurePanel, activityView, unapproved, nil, []column{upload()}, 16, 0, 16, 6},
				{"Findings", figurePanel, findingView, "", nil, []column{{label: "Findings", op: "count", field: records}}, 32, 0, 16, 6},
				{"Upload by service", chartPanel, activityView, unapproved, []column{overTime(), services(8)}, []column{upload()}, 0, 6, 24, 14},
				{"Findings by kind", chartPanel, findingView, "", []column{overTime(), top("Kind", "event.action", 8)}, []column{{label: "Findings", op: "count", field: records}}, 24, 6, 24, 14},
				{"Who sends most", tablePanel, activityView, unapproved, []column{top("User", "user.id", 50), top("Department", "user.group.name", 3), services(5)},
					[]column{visits(), upload(), uploadLow(), uploadHigh(), last()}, 0, 20, 48, 18},
				{"Findings", tablePanel, findingView, "", []column{top("Kind", "event.action", 8), services(20), top("User", "user.id", 20)},
					[]column{{label: "Findings", op: "count", field: records}, last()}, 0, 38, 48, 16},
			}},
		{id: "gnomon-sensors", title: "AI services: sensor health", says: "What the sensors saw, lost and could not read. A total is worth as much as its coverage.", from: "now-24h",
			panels: []panel{
				{"Frames received", figurePanel, coverageView, "", nil, []column{sum("Received", "gnomon.coverage.received")}, 0, 0, 16, 6},
				{"Frames lost", figurePanel, coverageView, "", nil, []column{sum("Lost", "gnomon.coverage.dropped")}, 16, 0, 16, 6},
				{"Longest wait on a sensor (s)", figurePanel, coverageView, "", nil, []column{{label: "Seconds", op: "max", field: "gnomon.coverage.queue_age_s"}}, 32, 0, 16, 6},
				{"Frames received by sensor", chartPanel, coverageView, "", []column{overTime(), top("Sensor", "observer.name", 12)}, []column{sum("Received", "gnomon.coverage.received")}, 0, 6, 24, 14},
				{"Frames lost by sensor", chartPanel, coverageView, "", []column{overTime(), top("Sensor", "observer.name", 12)}, []column{sum("Lost", "gnomon.coverage.dropped")}, 24, 6, 24, 14},
				{"Names that could be read, and those that could not", chartPanel, coverageView, "", []column{overTime()}, []column{
					sum("Should have a name", "gnomon.coverage.flows_readable"), sum("Named", "gnomon.coverage.flows_named"), sum("Encrypted hello", "gnomon.coverage.ech"),
					sum("Encrypted DNS", "gnomon.coverage.encrypted_dns"), sum("Relays and VPNs", "gnomon.coverage.relay"), sum("One-sided", "gnomon.coverage.one_sided")}, 0, 20, 48, 14},
				{"Sensors", tablePanel, coverageView, "", []column{top("Sensor", "observer.name", 200), top("Version", "observer.version", 3), top("Site", "gnomon.site", 3)},
					[]column{last(), sum("Received", "gnomon.coverage.received"), sum("Lost", "gnomon.coverage.dropped"), sum("Evicted flows", "gnomon.coverage.evicted"),
						{label: "Longest wait (s)", op: "max", field: "gnomon.coverage.queue_age_s"}}, 0, 34, 48, 16},
			}},
	}
}
