package codec

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Bounds of a schema that is read: several times what this version writes.
const (
	maxSchema  = 64 << 10
	maxStructs = 256
	maxFields  = 256
)

// Schema describes the records that Append writes. It is a text: a line for each struct, with a word for each of its fields.
//
//	Timestamp=i ECS=*(1 Event=(2 ...
//	Version=s
//	ID=s Start=i ...
func (c *Codec) Schema() []byte { return c.schema }

func (c *Codec) describe() []byte {
	var b bytes.Buffer
	for _, s := range c.structs {
		for i := range s.fields {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(s.fields[i].name + "=" + s.fields[i].kind.String())
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// String is the kind as it stands in a schema.
func (k *kind) String() string {
	switch {
	case k.of != nil:
		return string(k.code) + strconv.Itoa(k.of.number)
	case k.elem != nil:
		return string(k.code) + k.elem.String()
	}
	return string(k.code)
}

// Decoder returns what reads records of a schema.
func (c *Codec) Decoder(schema []byte) (*Decoder, error) {
	if bytes.Equal(schema, c.schema) {
		return &Decoder{root: c.structs[0]}, nil
	}
	structs, err := parseSchema(schema)
	if err != nil {
		return nil, err
	}
	m := matcher{seen: map[pair]*structure{}}
	return &Decoder{root: m.match(structs[0], reflect.TypeFor[event.Event]())}, nil
}

// parseSchema reads a schema as it was written; it says nothing of what this version has.
func parseSchema(text []byte) ([]*structure, error) {
	if len(text) > maxSchema || len(text) == 0 || text[len(text)-1] != '\n' {
		return nil, fmt.Errorf("reading the schema of records: %d bytes that are none", len(text))
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) > maxStructs {
		return nil, fmt.Errorf("reading the schema of records: it has %d structs; at most %d can be", len(lines), maxStructs)
	}
	structs := make([]*structure, len(lines))
	for i := range structs {
		structs[i] = &structure{number: i}
	}
	for i, line := range lines {
		words := strings.Fields(line)
		if len(words) > maxFields {
			return nil, fmt.Errorf("reading the schema of records: struct %d has %d fields; at most %d can be", i, len(words), maxFields)
		}
		for _, word := range words {
			name, code, _ := strings.Cut(word, "=")
			k, err := parseKind(code, structs)
			if err != nil {
				return nil, fmt.Errorf("reading the schema of records: field %q: %w", word, err)
			}
			structs[i].fields = append(structs[i].fields, field{name: name, index: -1, kind: k})
		}
	}
	return structs, nil
}

// maxNested bounds how deep values lie in each other.
const maxNested = 16

// parseKind reads the form of a field.
//
//nolint:gocyclo // a case for each kind of value
func parseKind(code string, structs []*structure) (*kind, error) {
	first := &kind{}
	for k, depth := first, 0; ; depth++ {
		if code == "" || depth == maxNested {
			return nil, ErrRecord
		}
		k.code, code = code[0], code[1:]
		switch k.code {
		case codeUint, codeInt, codeBool, codeFloat, codeString:
			if code != "" {
				return nil, ErrRecord
			}
			return first, nil
		case codePointer, codeList, codeMap:
			k.elem = &kind{}
			k = k.elem
		case codeStruct:
			n, err := strconv.Atoi(code)
			if err != nil || n < 0 || n >= len(structs) {
				return nil, ErrRecord
			}
			k.of = structs[n]
			return first, nil
		default:
			return nil, ErrRecord
		}
	}
}

// pair is a struct of a schema, to be read into a struct of this version.
type pair struct {
	written *structure
	into    reflect.Type
}

// matcher finds the fields of a schema in the structs of this version.
type matcher struct{ seen map[pair]*structure }

func (m *matcher) match(written *structure, into reflect.Type) *structure {
	p := pair{written, into}
	if s := m.seen[p]; s != nil {
		return s
	}
	s := &structure{number: written.number}
	m.seen[p] = s
	for i := range written.fields {
		f := written.fields[i]
		if own, ok := into.FieldByName(f.name); ok {
			if k := m.kind(f.kind, own.Type); k != nil {
				f.kind, f.index = k, own.Index[0]
			}
		}
		s.fields = append(s.fields, f)
	}
	return s
}

// kind is nil where the field has become something else since.
func (m *matcher) kind(written *kind, into reflect.Type) *kind {
	if !fits(written.code, into.Kind()) {
		return nil
	}
	k := &kind{code: written.code}
	switch written.code {
	case codePointer, codeList, codeMap:
		if k.elem = m.kind(written.elem, into.Elem()); k.elem == nil {
			return nil
		}
	case codeStruct:
		k.of = m.match(written.of, into)
	}
	return k
}

// fits says whether a written value can be read into a Go value.
//
//nolint:gocyclo // a case for each kind of value
func fits(code byte, into reflect.Kind) bool {
	switch code {
	case codeUint:
		return into >= reflect.Uint && into <= reflect.Uint64
	case codeInt:
		return into >= reflect.Int && into <= reflect.Int64
	case codeBool:
		return into == reflect.Bool
	case codeFloat:
		return into == reflect.Float64
	case codeString:
		return into == reflect.String
	case codePointer:
		return into == reflect.Pointer
	case codeList:
		return into == reflect.Slice
	case codeMap:
		return into == reflect.Map
	}
	return into == reflect.Struct
}
