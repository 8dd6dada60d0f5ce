package main

import (
	"fmt"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)

// objects are the manifests, decoded.
type objects struct {
	namespace *corev1.Namespace
	account   *corev1.ServiceAccount
	jobs      []*batchv1.CronJob
	rules     *monitoringv1.PrometheusRule
}

// add decodes a manifest strictly, and validates it as the API server does.
func (o *objects) add(document []byte) []string {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return []string{err.Error()}
	}
	if kind.Kind == monitoringv1.PrometheusRuleKind {
		o.rules = &monitoringv1.PrometheusRule{}
		if err := yaml.UnmarshalStrict(document, o.rules); err != nil {
			return []string{err.Error()}
		}
		return nil
	}
	object, _, err := strict.UniversalDeserializer().Decode(document, nil, nil)
	if err != nil {
		return []string{err.Error()}
	}
	internal, err := runtime.Decode(strict.UniversalDecoder(), document)
	if err != nil {
		return []string{err.Error()}
	}
	var errors field.ErrorList
	switch object := object.(type) {
	case *corev1.Namespace:
		o.namespace = object
		errors = corevalidation.ValidateNamespace(internal.(*core.Namespace))
	case *corev1.ServiceAccount:
		o.account = object
		errors = corevalidation.ValidateServiceAccount(internal.(*core.ServiceAccount))
	case *batchv1.CronJob:
		o.jobs = append(o.jobs, object)
		errors = batchvalidation.ValidateCronJobCreate(internal.(*batch.CronJob), corevalidation.PodValidationOptions{})
	default:
		return []string{fmt.Sprintf("nobody has said what a %s must hold", kind.Kind)}
	}
	if len(errors) > 0 {
		return []string{errors.ToAggregate().Error()}
	}
	return nil
}

// build returns what `kubectl apply -k` would apply.
func build(files map[string]string) ([][]byte, error) {
	disk := filesys.MakeFsInMemory()
	for name, text := range files {
		if err := disk.WriteFile("/"+name, []byte(text)); err != nil {
			return nil, err
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/")
	if err != nil {
		return nil, err
	}
	var documents [][]byte
	for _, resource := range built.Resources() {
		document, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	return documents, nil
}

// promises returns what the manifests do not hold of what the documentation says.
func (o *objects) promises() []string {
	var findings []string
	fail := func(format string, values ...any) { findings = append(findings, fmt.Sprintf(format, values...)) }
	if o.namespace == nil || o.account == nil || len(o.jobs) != 2 {
		fail("a Namespace, a ServiceAccount and two CronJobs are wanted")
		return findings
	}
	for _, mode := range []string{"enforce", "warn", "audit"} {
		if level := o.namespace.Labels["pod-security.kubernetes.io/"+mode]; level != "restricted" {
			fail("the Pod Security level %s of the namespace is %q", mode, level)
		}
	}
	if o.account.AutomountServiceAccountToken == nil || *o.account.AutomountServiceAccountToken {
		fail("the service account hands its token to every pod")
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		fail("%v", err)
		return findings
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, cron := range o.jobs {
		name, job := cron.Name, cron.Spec.JobTemplate.Spec
		pod := job.Template.Spec
		wrong := func(format string, values ...any) { fail(name+": "+format, values...) }
		if cron.Namespace != o.namespace.Name || pod.ServiceAccountName != o.account.Name {
			wrong("it is not in the namespace, or not run by the service account, of charter")
		}
		if cron.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent {
			wrong("two runs may overlap")
		}
		component := cron.Labels["app.kubernetes.io/component"]
		for _, labels := range []map[string]string{cron.Labels, cron.Spec.JobTemplate.Labels, job.Template.Labels} {
			if labels["app.kubernetes.io/name"] != "charter" || component == "" || labels["app.kubernetes.io/component"] != component {
				wrong("a label is missing: %v", labels)
			}
		}
		for _, result := range evaluator.EvaluatePod(restricted, &job.Template.ObjectMeta, &pod) {
			if !result.Allowed {
				wrong("not restricted: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		for _, container := range append(append([]corev1.Container{}, pod.InitContainers...), pod.Containers...) {
			if !strings.Contains(container.Image, "@sha256:") {
				wrong("the image of %s is not pinned by digest", container.Name)
			}
			if only := container.SecurityContext.ReadOnlyRootFilesystem; only == nil || !*only {
				wrong("%s can write to its file system", container.Name)
			}
		}
		for _, finding := range deadlines(cron) {
			wrong("%s", finding)
		}
		for _, finding := range verdicts(job) {
			wrong("%s", finding)
		}
		if job.CompletionMode != nil && *job.CompletionMode == batchv1.IndexedCompletion {
			args := strings.Join(pod.Containers[0].Args, " ")
			if wanted := fmt.Sprintf("--shard $(JOB_COMPLETION_INDEX)/%d", *job.Completions); !strings.HasSuffix(args, wanted) {
				wrong("%q does not end with %q: a part would be left out, or read twice", args, wanted)
			}
		}
	}
	return findings
}
