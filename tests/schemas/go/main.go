// Compiles the schemas with two validators of Go, and judges the files that judge.py wrote.
//
// The older one knows draft 7 at most. It reads the patterns with RE2, as the other does, and that is what it is here for:
// the name of the draft is left out for it.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/xeipuuv/gojsonschema"
)

var names = []string{"charter", "fleet", "plan", "journal"}

func read(path string) any {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		log.Fatal(path, err)
	}
	return value
}

func main() {
	schemas, cases := os.Args[1], os.Args[2]
	newer := map[string]*jsonschema.Schema{}
	older := map[string]*gojsonschema.Schema{}
	for _, name := range names {
		path := filepath.Join(schemas, name+".schema.json")
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		if err := compiler.AddResource(name, read(path)); err != nil {
			log.Fatal(name, err)
		}
		newer[name] = compiler.MustCompile(name)
		value := read(path).(map[string]any)
		delete(value, "$schema")
		delete(value, "$id")
		schema, err := gojsonschema.NewSchema(gojsonschema.NewGoLoader(value))
		if err != nil {
			log.Fatal(name, err)
		}
		older[name] = schema
	}
	files, err := os.ReadDir(cases)
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range files {
		name, rest, _ := strings.Cut(file.Name(), ".")
		right := strings.HasPrefix(rest, "right-")
		value := read(filepath.Join(cases, file.Name()))
		if err := newer[name].Validate(value); (err == nil) != right {
			log.Fatalf("santhosh-tekuri/jsonschema: %s: %v", file.Name(), err)
		}
		result, err := older[name].Validate(gojsonschema.NewGoLoader(value))
		if err != nil || result.Valid() != right {
			log.Fatalf("gojsonschema: %s: %v %v", file.Name(), err, result)
		}
	}
	fmt.Printf("santhosh-tekuri/jsonschema and gojsonschema: %d schemas, %d files each\n", len(names), len(files))
}
