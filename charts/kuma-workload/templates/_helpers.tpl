{{- define "kuma-workload.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 52 characters, so that there is room for the suffixes. */}}
{{- define "kuma-workload.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "kuma-workload.name" . -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "kuma-workload.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kuma-workload.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "kuma-workload.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{ include "kuma-workload.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- range $key, $value := .Values.commonLabels }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* The reference of an image or module: (dict "root" $ "image" VALUES). */}}
{{- define "kuma-workload.image" -}}
{{- $registry := .root.Values.global.imageRegistry | default .image.registry -}}
{{- $tag := .image.tag | default (printf "v%s" .root.Chart.AppVersion) -}}
{{- printf "%s/%s" $registry .image.repository -}}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ $tag }}{{ end -}}
{{- end -}}

{{- define "kuma-workload.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq -}}
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
{{- dict "names" (concat $managers .Values.settings.workloadManagers | uniq) | toJson -}}
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
