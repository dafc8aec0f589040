package main

import (
	"context"
	"errors"
	"testing"
)

func TestUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want error
	}{
		{"nothing", nil, errUsage},
		{"unknown command", []string{"brew"}, errUsage},
		{"make without a directory", []string{"make"}, errUsage},
		{"make with only a flag", []string{"make", "-again"}, errUsage},
		{"unknown flag", []string{"make", "-x", "dir"}, errUsage},
		{"demo with too much", []string{"demo", "a", "b"}, errUsage},
		{"score without a command", []string{"score", "dir"}, errUsage},
		{"list", []string{"list"}, nil},
		{"deps", []string{"deps"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := run(context.Background(), tt.args); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
