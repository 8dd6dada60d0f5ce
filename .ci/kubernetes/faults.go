package main

import (
	"fmt"
	"strings"
)

// A fault that somebody may put into a manifest.
type fault struct{ file, old, new string }

var faults = []fault{
	{"cronjob.yaml", "backoffLimit: 1", "backofLimit: 1"},
	{"cronjob.yaml", "backoffLimit: 1", "backoffLimit: 0"},
	{"cronjob.yaml", "          activeDeadlineSeconds: 7200\n", ""},
	{"cronjob.yaml", "      activeDeadlineSeconds: 82800\n", ""},
	{"cronjob.yaml", "activeDeadlineSeconds: 82800", "activeDeadlineSeconds: 7200"},
	{"cronjob.yaml", "values: [2, 3, 4, 143]", "values: [2, 3, 4, 4]"},
	{"cronjob.yaml", "values: [2, 3, 4, 143]", "values: [1, 2, 3, 4, 143]"},
	{"cronjob.yaml", "operator: In", "operator: NotIn"},
	{"cronjob.yaml", "action: FailJob", "action: FailIndex"},
	{"cronjob.yaml", "type: DisruptionTarget", "type: PodScheduled"},
	{"cronjob.yaml", "concurrencyPolicy: Forbid", "concurrencyPolicy: Allow"},
	{"cronjob.yaml", "restartPolicy: Never", "restartPolicy: OnFailure"},
	{"cronjob.yaml", "drop: [ALL]", "drop: [NET_RAW]"},
	{"cronjob.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"},
	{"cronjob.yaml", "timeZone: Etc/UTC", "timeZone: UTC+1"},
	{"cronjob.yaml", "mountPath: /tmp", "mountPath: /work"},
	{"fleet-cronjob.yaml", "completions: 10", "completions: 6"},
	{"fleet-cronjob.yaml", "/10]", "/4]"},
	{"fleet-cronjob.yaml", "activeDeadlineSeconds: 3600", "activeDeadlineSeconds: 14400"},
	{"fleet-cronjob.yaml", "      backoffLimitPerIndex: 1\n", ""},
	{"fleet-cronjob.yaml", "action: FailIndex", "action: Count"},
	{"fleet-cronjob.yaml", "component: fleet-drift", "comp: fleet-drift"},
	{"namespace.yaml", "    pod-security.kubernetes.io/warn: restricted\n", ""},
	{"namespace.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: true"},
	{"kustomization.yaml", "delimiter: /, index: 1", "delimiter: /, index: 0"},
	{"kustomization.yaml", "replacements:", "replacement:"},
	{"kustomization.yaml", "  - fleet-cronjob.yaml\n", ""},
	{"alerts.yaml", "        expr:", "        expression:"},
}

// unnoticed returns the faults that no check sees, and those that cannot be made.
func unnoticed(files map[string]string) []string {
	var findings []string
	for _, fault := range faults {
		text, exists := files[fault.file]
		if !exists || !strings.Contains(text, fault.old) {
			findings = append(findings, fmt.Sprintf("%s: there is no %q to break", fault.file, fault.old))
			continue
		}
		broken := map[string]string{}
		for name, text := range files {
			broken[name] = text
		}
		broken[fault.file] = strings.Replace(text, fault.old, fault.new, 1)
		if len(check(broken)) == 0 {
			findings = append(findings, fmt.Sprintf("%s: nobody notices %q in place of %q", fault.file, fault.new, fault.old))
		}
	}
	return findings
}
