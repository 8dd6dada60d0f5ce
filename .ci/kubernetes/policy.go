package main

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// deadlines returns what is wrong with them. That of the pod ends a part that hangs, and leaves its log. That of the job
// deletes pods, so all pods have to be able to reach theirs, twice, before it, and it has to end before the next night.
func deadlines(cron *batchv1.CronJob) []string {
	job := cron.Spec.JobTemplate.Spec
	pod := job.Template.Spec.ActiveDeadlineSeconds
	if pod == nil {
		return []string{"a pod that hangs has no deadline"}
	}
	if job.ActiveDeadlineSeconds == nil {
		return []string{"a pod that never starts has no deadline"}
	}
	completions, parallelism := int64(1), int64(1)
	if job.Completions != nil && job.Parallelism != nil {
		completions, parallelism = int64(*job.Completions), int64(*job.Parallelism)
	}
	rounds := (completions + parallelism - 1) / parallelism
	if longest := 2 * rounds * *pod; longest > *job.ActiveDeadlineSeconds {
		return []string{fmt.Sprintf("the pods may take %d s, and the job deletes them after %d s", longest, *job.ActiveDeadlineSeconds)}
	}
	if *job.ActiveDeadlineSeconds >= 24*3600 {
		return []string{"a job that hangs stands in the way of the next night"}
	}
	return nil
}

// An end of a pod, and what has to follow from it.
type end struct {
	what       string
	disruption bool
	code       int32
	wanted     string
}

// verdicts returns which ends of a pod are judged otherwise than docs/ci.md says.
func verdicts(job batchv1.JobSpec) []string {
	failed := "FailJob"
	limit := job.BackoffLimit
	if job.CompletionMode != nil && *job.CompletionMode == batchv1.IndexedCompletion {
		failed, limit = "FailIndex", job.BackoffLimitPerIndex
	}
	var findings []string
	if limit == nil || *limit != 1 {
		findings = append(findings, "what may pass is not tried once more")
	}
	for _, end := range []end{
		{"a drain", true, 143, "Ignore"},
		{"a lost node", true, 0, "Ignore"},
		{"an eviction during an apply", true, 5, "Ignore"},
		{"a run without an answer", false, 1, "Count"},
		{"drift", false, 2, failed},
		{"wrong files", false, 3, failed},
		{"a refusal", false, 4, failed},
		{"a run that is half done", false, 5, "Count"},
		{"want of memory", false, 137, "Count"},
		{"a deadline", false, 143, failed},
	} {
		if verdict := judge(job.PodFailurePolicy, end); verdict != end.wanted {
			findings = append(findings, fmt.Sprintf("after %s: %s, and %s is wanted", end.what, verdict, end.wanted))
		}
	}
	return findings
}

// judge says which action follows from an end, as the Job controller does: of the first rule that fits.
func judge(policy *batchv1.PodFailurePolicy, end end) string {
	if policy == nil {
		return "Count"
	}
	for _, rule := range policy.Rules {
		for _, condition := range rule.OnPodConditions {
			if end.disruption && condition.Type == corev1.DisruptionTarget && condition.Status == corev1.ConditionTrue {
				return string(rule.Action)
			}
		}
		if codes := rule.OnExitCodes; codes != nil && end.code != 0 {
			within := slices.Contains(codes.Values, end.code)
			if within == (codes.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn) {
				return string(rule.Action)
			}
		}
	}
	return "Count"
}
