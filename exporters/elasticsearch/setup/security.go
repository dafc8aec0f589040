package setup

import (
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// everywhere are the streams and indices of every namespace and layout.
func everywhere() []any {
	var all []any
	for _, layout := range []string{elasticsearch.LayoutStream, elasticsearch.LayoutDaily} {
		for _, d := range datasets {
			all = append(all, pattern(d, &Target{Layout: layout}))
		}
	}
	return all
}

// sensorPrivileges is a role that can add records, and look up by their ids which of them have arrived. It can neither change a record nor
// delete one. It reads, and refreshes so that it reads what was written this second, where it is not known what became of a request.
func sensorPrivileges() map[string]any {
	return map[string]any{"cluster": []any{"monitor"},
		"indices": []any{map[string]any{"names": everywhere(), "privileges": []any{"create_doc", "auto_configure", "read", "indices:admin/refresh*"}}}}
}

// readerPrivileges is a role that reads records: for reports and pages.
func readerPrivileges() map[string]any {
	return map[string]any{"cluster": []any{"monitor"},
		"indices": []any{map[string]any{"names": everywhere(), "privileges": []any{"read", "view_index_metadata"}}}}
}

// descriptors are a role as an API key takes it.
func descriptors(name string) map[string]any {
	body := sensorPrivileges()
	if name == readerRole {
		body = readerPrivileges()
	}
	return map[string]any{name: body}
}
