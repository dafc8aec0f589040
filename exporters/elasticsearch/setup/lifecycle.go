package setup

import (
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// When the index that is written is followed by a new one.
const (
	rolloverAge  = "30d"
	rolloverSize = "50gb"
)

// ilm is a policy of index lifecycle management. What the server would add by itself stands in it, so that it comes back as it was sent.
func ilm(t *Target, keep time.Duration) map[string]any {
	hot := map[string]any{"min_age": "0ms", "actions": map[string]any{}}
	if t.Layout != elasticsearch.LayoutDaily {
		hot["actions"] = map[string]any{"rollover": map[string]any{"max_age": rolloverAge, "max_primary_shard_size": rolloverSize}}
	}
	return map[string]any{"policy": map[string]any{"phases": map[string]any{"hot": hot,
		"delete": map[string]any{"min_age": kept(keep), "actions": map[string]any{"delete": map[string]any{"delete_searchable_snapshot": true}}}}}}
}

// ism is a policy of OpenSearch's index state management. It names what it is for itself: templates cannot name it.
func ism(t *Target, name string, keep time.Duration) map[string]any {
	var patterns []any
	for _, d := range datasets {
		if group(d) == name {
			patterns = append(patterns, pattern(d, t))
		}
	}
	hot := []any{}
	if t.Layout != elasticsearch.LayoutDaily {
		hot = append(hot, map[string]any{"rollover": map[string]any{"min_index_age": rolloverAge, "min_primary_shard_size": rolloverSize}})
	}
	return map[string]any{"policy": map[string]any{
		"default_state": "hot",
		"ism_template":  []any{map[string]any{"index_patterns": patterns, "priority": priority}},
		"states": []any{
			map[string]any{"name": "hot", "actions": hot,
				"transitions": []any{map[string]any{"state_name": "delete", "conditions": map[string]any{"min_index_age": kept(keep)}}}},
			map[string]any{"name": "delete", "actions": []any{map[string]any{"delete": map[string]any{}}}, "transitions": []any{}},
		}}}
}
