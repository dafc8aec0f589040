package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Every sender sends all records to the endpoint, or says that it has not.
func TestSenders(t *testing.T) {
	for _, s := range senders {
		t.Run(s.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(answer))
			defer server.Close()
			if err := s.send(t.Context(), server.URL, 5000); err != nil {
				t.Error(err)
			}
		})
	}
}

// A node that takes nothing is noticed. Behind the spool the records would wait for it.
func TestRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer server.Close()
	for _, s := range senders[:2] {
		t.Run(s.name, func(t *testing.T) {
			if err := s.send(t.Context(), server.URL, 10); err == nil {
				t.Error("it says that all records are there")
			}
		})
	}
}
