{{- /* The labels that tie Pods to their Deployment and Service; they never change. */ -}}
{{- define "generic-service.selector" -}}
app.kubernetes.io/name: {{ .Release.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "generic-service.labels" -}}
{{ include "generic-service.selector" . }}
app.kubernetes.io/version: {{ .Values.version | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
