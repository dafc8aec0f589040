package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/kibana"
)

// Kibana is what FillKibana needs of a client whose address is Kibana's.
type Kibana interface {
	// Perform sends a request whose URL has a path alone.
	Perform(r *http.Request) (*http.Response, error)
}

// Filled says what became of Kibana's objects.
type Filled struct{ Made, There int }

// maxKibana bounds what is read of Kibana's answer.
const maxKibana = 4 << 20

// FillKibana puts the data views and dashboards into Kibana. What is there already stays, unless overwrite is set.
func FillKibana(ctx context.Context, k Kibana, layout string, overwrite bool) (Filled, error) {
	filled, err := fillKibana(ctx, k, kibana.Objects(layout), overwrite)
	if err != nil {
		return filled, fmt.Errorf("putting pages into Kibana: %w", err)
	}
	return filled, nil
}

func fillKibana(ctx context.Context, k Kibana, objects []byte, overwrite bool) (Filled, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "gnomon.ndjson")
	if err == nil {
		_, err = file.Write(objects)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return Filled{}, err
	}
	path := "/api/saved_objects/_import"
	if overwrite {
		path += "?overwrite=true"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, path, &body)
	if err != nil {
		return Filled{}, err
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("kbn-xsrf", "gnomon") // Kibana refuses what a page of another site could make a browser send
	response, err := k.Perform(r)
	if err != nil {
		return Filled{}, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxKibana))
	if err != nil {
		return Filled{}, err
	}
	return readFilled(response.StatusCode, answer)
}

// readFilled reads Kibana's answer to an import.
func readFilled(status int, answer []byte) (Filled, error) {
	var said struct {
		SuccessCount int    `json:"successCount"`
		Message      string `json:"message"`
		Errors       []struct {
			ID    string
			Type  string
			Error struct{ Type string }
		}
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return Filled{}, fmt.Errorf("what answers %d is not Kibana; check setup.kibana", status)
	}
	if status != http.StatusOK {
		return Filled{}, &elasticsearch.StatusError{Status: status, Reason: said.Message}
	}
	filled := Filled{Made: said.SuccessCount}
	for _, e := range said.Errors {
		if e.Error.Type != "conflict" {
			return filled, fmt.Errorf("%s %s is refused: %s", e.Type, e.ID, e.Error.Type)
		}
		filled.There++
	}
	return filled, nil
}
