// Command kubernetes checks the manifests of deploy/kubernetes by Kubernetes' own code: they decode strictly, are valid for
// the API server, pass the Pod Security level of their namespace, and hold what docs/ci.md and docs/fleet.md promise of
// them; what kustomize makes of them does too. Then it breaks them in every way that it knows, and wants each noticed.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: kubernetes FOLDER")
		os.Exit(3)
	}
	files, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	findings := check(files)
	findings = append(findings, unnoticed(files)...)
	for _, finding := range findings {
		fmt.Fprintln(os.Stderr, "FAILED:", finding)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
	fmt.Printf("kubernetes: %d files hold what they promise, and %d faults in them are noticed\n", len(files), len(faults))
}

// read returns the text of each manifest by its name.
func read(folder string) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no manifests in %s: %v", folder, err)
	}
	files := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files[filepath.Base(path)] = string(text)
	}
	return files, nil
}

// check returns what is wrong with the files, each alone and as kustomize builds them.
func check(files map[string]string) []string {
	var findings []string
	alone := &objects{}
	for name, text := range files {
		if name == "kustomization.yaml" {
			continue
		}
		for _, document := range bytes.Split([]byte(text), []byte("\n---\n")) {
			for _, finding := range alone.add(document) {
				findings = append(findings, name+": "+finding)
			}
		}
	}
	findings = append(findings, alone.promises()...)

	built, err := build(files)
	if err != nil {
		return append(findings, "kustomization.yaml: "+err.Error())
	}
	whole := &objects{}
	for _, document := range built {
		for _, finding := range whole.add(document) {
			findings = append(findings, "as kustomize builds it: "+finding)
		}
	}
	for _, finding := range whole.promises() {
		findings = append(findings, "as kustomize builds it: "+finding)
	}
	return append(findings, oneplace(files)...)
}

// oneplace returns what does not follow the kustomization: the number of parts and the image are set there alone.
func oneplace(files map[string]string) []string {
	changed := map[string]string{}
	for name, text := range files {
		changed[name] = text
	}
	kustomization := changed["kustomization.yaml"]
	kustomization = strings.Replace(kustomization, "value: 10}", "value: 6}", 1)
	digest := "digest: sha256:"
	kustomization = strings.Replace(kustomization, digest+strings.Repeat("0", 64), digest+strings.Repeat("1", 64), 1)
	changed["kustomization.yaml"] = kustomization
	built, err := build(changed)
	if err != nil {
		return []string{"kustomization.yaml with 6 parts: " + err.Error()}
	}
	text := string(bytes.Join(built, []byte("---\n")))
	images := strings.Count(text, "image: ")
	var findings []string
	for _, wanted := range []struct {
		text  string
		times int
	}{
		{"completions: 6\n", 1},
		{"$(JOB_COMPLETION_INDEX)/6\n", 1},
		{"@sha256:" + strings.Repeat("1", 64), max(images, 1)},
		{"@sha256:" + strings.Repeat("0", 64), 0},
	} {
		if times := strings.Count(text, wanted.text); times != wanted.times {
			findings = append(findings, fmt.Sprintf("kustomization.yaml with 6 parts and another image: %q stands %d times, not %d", wanted.text, times, wanted.times))
		}
	}
	return findings
}
