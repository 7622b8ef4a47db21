{{- define "clustral-agent.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 53 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "clustral-agent.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "clustral-agent.labels" -}}
{{ include "clustral-agent.selector" . }}
app.kubernetes.io/component: agent
app.kubernetes.io/part-of: clustral
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- /* Rights over the whole cluster have one name for all namespaces. */ -}}
{{- define "clustral-agent.clusterName" -}}
{{- if eq .Release.Namespace "clustral" }}{{ include "clustral-agent.name" . }}{{ else }}{{ .Release.Namespace }}-{{ include "clustral-agent.name" . }}{{ end }}
{{- end }}
