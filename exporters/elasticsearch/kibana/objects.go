package kibana

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Versions of Kibana's forms: of saved objects as a whole, and of what is written here.
const (
	coreVersion      = "8.8.0"
	dashboardVersion = "8.7.0"
	viewVersion      = "8.0.0"
	panelVersion     = "8.8.0"
)

// records is what Lens calls the field of a count.
const records = "___records___"

// object is a piece of JSON. Its keys are written in order, so that the same pages are the same bytes.
type object = map[string]any

// Objects are the data views and dashboards as lines of NDJSON, for Kibana's import. The data views are of the records of every namespace.
func Objects(layout string) []byte {
	var b bytes.Buffer
	for _, v := range []struct{ id, title, dataset string }{
		{activityView, "Gnomon: activity", event.DatasetActivity}, {findingView, "Gnomon: findings", event.DatasetFinding},
		{coverageView, "Gnomon: coverage", event.DatasetCoverage},
	} {
		write(&b, object{"type": "index-pattern", "id": v.id, "coreMigrationVersion": coreVersion, "typeMigrationVersion": viewVersion, "managed": false,
			"references": []any{}, "attributes": object{"title": Pattern(v.dataset, layout), "name": v.title, "timeFieldName": "@timestamp",
				"allowNoIndex": true, "fields": "[]", "fieldAttrs": "{}", "fieldFormatMap": "{}", "runtimeFieldMap": "{}", "sourceFilters": "[]", "typeMeta": "{}"}})
	}
	for _, p := range pages() {
		write(&b, p.object())
	}
	return b.Bytes()
}

// Pattern is which streams or indices a data view is of: those of every namespace.
func Pattern(dataset, layout string) string {
	if layout == elasticsearch.LayoutDaily {
		return strings.TrimSuffix(elasticsearch.Daily(dataset, "*"), "-") + "-*"
	}
	return elasticsearch.Stream(dataset, "*")
}

// write writes a line.
func write(b *bytes.Buffer, o object) { b.WriteString(text(o) + "\n") }

// text is an object in JSON.
func text(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // texts and numbers can be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// object is the dashboard as a saved object.
func (p *page) object() object {
	var panels, references []any
	for i := range p.panels {
		id := fmt.Sprintf("panel%02d", i+1)
		panels = append(panels, p.panels[i].object(id))
		references = append(references, object{"type": "index-pattern", "id": p.panels[i].view, "name": id + ":" + referenceOf(id)})
	}
	return object{"type": "dashboard", "id": p.id, "coreMigrationVersion": coreVersion, "typeMigrationVersion": dashboardVersion, "managed": false,
		"references": references,
		"attributes": object{"title": p.title, "description": p.says, "version": 1, "timeRestore": true, "timeFrom": p.from, "timeTo": "now",
			"panelsJSON":            text(panels),
			"optionsJSON":           text(object{"useMargins": true, "syncColors": true, "syncCursor": true, "syncTooltips": false, "hidePanelTitles": false}),
			"kibanaSavedObjectMeta": object{"searchSourceJSON": text(object{"query": kql(""), "filter": []any{}})}}}
}

// layerOf is the one layer of a panel.
func layerOf(panel string) string { return "layer-" + panel }

// referenceOf is what a panel calls its data view.
func referenceOf(panel string) string { return "indexpattern-datasource-layer-" + layerOf(panel) }

func kql(query string) object { return object{"query": query, "language": "kuery"} }

// object is the panel, by value.
func (p *panel) object(id string) object {
	columns, order := object{}, []any{}
	var by, show []string
	for i, c := range p.show {
		show = append(show, fmt.Sprintf("show%d", i+1))
		columns[show[i]] = c.object("")
	}
	for i, c := range p.by {
		by = append(by, fmt.Sprintf("by%d", i+1))
		columns[by[i]] = c.object(show[0])
		order = append(order, by[i])
	}
	for _, name := range show {
		order = append(order, name)
	}
	layer := object{"columns": columns, "columnOrder": order, "incompleteColumns": object{}, "sampling": 1}
	attributes := object{"title": "", "description": "", "type": "lens", "visualizationType": p.kind,
		"references": []any{object{"type": "index-pattern", "id": p.view, "name": referenceOf(id)}},
		"state": object{"visualization": p.visualization(layerOf(id), by, show), "query": kql(p.where), "filters": []any{}, "internalReferences": []any{}, "adHocDataViews": object{},
			"datasourceStates": object{"formBased": object{"layers": object{layerOf(id): layer}}}}}
	return object{"type": "lens", "version": panelVersion, "panelIndex": id, "title": p.title,
		"gridData":         object{"x": p.x, "y": p.y, "w": p.w, "h": p.h, "i": id},
		"embeddableConfig": object{"attributes": attributes, "enhancements": object{}, "hidePanelTitles": p.kind == figurePanel}}
}

// visualization says how the columns are drawn.
func (p *panel) visualization(layer string, by, show []string) object {
	switch p.kind {
	case figurePanel:
		return object{"layerId": layer, "layerType": "data", "metricAccessor": show[0]}
	case tablePanel:
		var columns []any
		for _, name := range append(by, show...) {
			columns = append(columns, object{"columnId": name, "isTransposed": false})
		}
		return object{"layerId": layer, "layerType": "data", "columns": columns}
	}
	series, colour := "line", ""
	if len(by) > 1 {
		series, colour = "bar_stacked", by[1]
	}
	drawn := object{"layerId": layer, "layerType": "data", "seriesType": series, "accessors": show, "xAccessor": by[0], "position": "top", "showGridlines": false}
	if colour != "" {
		drawn["splitAccessor"] = colour
	}
	return object{"legend": object{"isVisible": true, "position": "bottom"}, "valueLabels": "hide", "preferredSeriesType": series, "layers": []any{drawn}}
}

// object is the column; groups stand in the order of the column named by.
func (c *column) object(by string) object {
	o := object{"label": c.label, "customLabel": true, "operationType": c.op, "sourceField": c.field, "isBucketed": false, "dataType": "number", "scale": "ratio"}
	if c.where != "" {
		o["filter"] = kql(c.where)
	}
	switch c.op {
	case "date_histogram":
		o["isBucketed"], o["dataType"], o["scale"] = true, "date", "interval"
		o["params"] = object{"interval": "auto", "includeEmptyRows": true, "dropPartials": false}
	case "terms":
		o["isBucketed"], o["dataType"], o["scale"] = true, "string", "ordinal"
		o["params"] = object{"size": c.size, "orderBy": object{"type": "column", "columnId": by}, "orderDirection": "desc", "otherBucket": c.size < 10,
			"missingBucket": false, "parentFormat": object{"id": "terms"}, "include": []any{}, "exclude": []any{}, "includeIsRegex": false, "excludeIsRegex": false}
	case "last_value":
		o["dataType"], o["filter"] = "date", kql(c.field+": *")
		o["params"] = object{"sortField": c.field}
	default:
		params := object{"emptyAsNull": false}
		if c.form != "" {
			params["format"] = object{"id": c.form, "params": object{"decimals": 1}}
		}
		o["params"] = params
	}
	return o
}
