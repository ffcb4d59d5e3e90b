{{- define "kuma-workload.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 52 characters, so that there is room for the suffixes; and what a Service may be called before Kubernetes
1.36: no dots, and a letter first. */}}
{{- define "kuma-workload.fullname" -}}
{{- $name := include "kuma-workload.name" . -}}
{{- $full := .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name)) -}}
{{- if regexMatch "^[0-9]" $full -}}{{- $full = printf "kuma-workload-%s" .Release.Name -}}{{- end -}}
{{- $full | replace "." "-" | trunc 52 | trimAll "-" -}}
{{- end -}}

{{- define "kuma-workload.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kuma-workload.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "kuma-workload.labels" -}}
{{- include "kuma-workload.labelsWith" (list . dict dict) -}}
{{- end -}}

{{/* Labels, each once: (list $ OWN GIVEN). The chart's own go before what the values give (templates/checks.yaml refuses
most of those), and of the latter, the nearer before commonLabels. */}}
{{- define "kuma-workload.labelsWith" -}}
{{- $root := index . 0 -}}
{{- $ofChart := dict
      "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/version" $root.Chart.AppVersion
      "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $selector := include "kuma-workload.selectorLabels" $root | fromYaml -}}
{{- merge (dict) (index . 1) $selector $ofChart (index . 2 | default dict) ($root.Values.commonLabels | default dict) | include "kuma-workload.texts" -}}
{{- end -}}

{{/* A map of texts, all in quotes: YAML takes some texts for something else. */}}
{{- define "kuma-workload.texts" -}}
{{- $lines := list -}}
{{- range $key, $value := . -}}{{- $lines = append $lines (printf "%s: %s" ($key | quote) ($value | quote)) -}}{{- end -}}
{{- join "\n" $lines -}}
{{- end -}}

{{/* The reference of an image or module: (dict "root" $ "image" VALUES). */}}
{{- define "kuma-workload.image" -}}
{{- $registry := .root.Values.global.imageRegistry | default .image.registry -}}
{{- $tag := .image.tag | default (printf "v%s" .root.Chart.AppVersion) -}}
{{- printf "%s/%s" $registry .image.repository -}}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ $tag }}{{ end -}}
{{- end -}}

{{- define "kuma-workload.imagePullSecrets" -}}
{{- with concat (.Values.global.imagePullSecrets | default list) (.Values.imagePullSecrets | default list) | uniq -}}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kuma-workload.serviceAccountName" -}}
{{- .Values.reconciler.serviceAccount.name | default (include "kuma-workload.fullname" .) -}}
{{- end -}}

{{/* The security contexts of all Pods here. No user: the image has one, and OpenShift gives its own. */}}
{{- define "kuma-workload.podSecurityContext" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "kuma-workload.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The namespaces of control planes, as a JSON list under "names". */}}
{{- define "kuma-workload.systemNamespaces" -}}
{{- with .Values.controlPlane.namespace -}}
{{- dict "names" (list .) | toJson -}}
{{- else -}}
{{- dict "names" (list "kong-mesh-system" "kuma-system") | toJson -}}
{{- end -}}
{{- end -}}

{{/* Who may write Workloads, as a JSON list under "names". */}}
{{- define "kuma-workload.workloadManagers" -}}
{{- $managers := list -}}
{{- with .Values.controlPlane.namespace -}}
{{- $managers = list (printf "system:serviceaccount:%s:%s" . $.Values.controlPlane.serviceAccountName) -}}
{{- else -}}
{{- $managers = list "system:serviceaccount:kong-mesh-system:kong-mesh-control-plane" "system:serviceaccount:kuma-system:kuma-control-plane" -}}
{{- end -}}
{{- /* Kubernetes itself: garbage collection, namespaces being deleted, storage migration. */ -}}
{{- $managers = concat $managers (list
      "system:serviceaccount:kube-system:generic-garbage-collector"
      "system:serviceaccount:kube-system:namespace-controller"
      "system:kube-controller-manager"
      "system:serviceaccount:kube-system:storage-version-migrator-controller") -}}
{{- if .Values.reconciler.enabled -}}
{{- $managers = append $managers (printf "system:serviceaccount:%s:%s" .Release.Namespace (include "kuma-workload.serviceAccountName" .)) -}}
{{- end -}}
{{- dict "names" (concat $managers (.Values.settings.workloadManagers | default list) | uniq) | toJson -}}
{{- end -}}

{{/* The rules on meshes, by the names of docs/settings.md. */}}
{{- define "kuma-workload.meshSettings" -}}
{{- $settings := .Values.settings -}}
disallowMultipleMeshesPerNamespace: {{ $settings.disallowMultipleMeshesPerNamespace }}
namespaceMesh: {{ $settings.namespaceMesh }}
action: {{ $settings.action }}
updates: membership
considerPods: {{ $settings.considerPods }}
legacyMeshAnnotations: {{ $settings.legacyMeshAnnotations }}
systemNamespaces: {{ (include "kuma-workload.systemNamespaces" . | fromJson).names | toJson }}
{{- with .Values.meshNamespaces }}
meshNamespaces: {{ toJson . }}
{{- end }}
{{- with .Values.controlPlane.workloadLabels }}
workloadLabels: {{ toJson . }}
{{- end }}
invalidWorkloadName: {{ $settings.invalidWorkloadName }}
# Before it lists, the policy asks whether the policy server may.
grants: ask
policyServerUser: {{ printf "system:serviceaccount:%s:%s" .Values.policyServer.namespace .Values.policyServer.serviceAccountName | quote }}
{{- end -}}
