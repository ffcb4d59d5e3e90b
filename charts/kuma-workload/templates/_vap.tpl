{{/* The variables of ValidatingAdmissionPolicies that are made of lists in the values: NAME: [VARIABLE…]. They are
those of `kuma-workload vap`; scripts/check-chart compares them. */}}
{{- define "kuma-workload.vapLists" -}}
{{- $meshes := list -}}
{{- $sentences := list -}}
{{- range $mesh, $patterns := .Values.meshNamespaces -}}
{{- $quoted := list -}}
{{- range $patterns -}}{{- $quoted = append $quoted (squote .) -}}{{- end -}}
{{- $meshes = append $meshes (printf "'%s': [%s]" $mesh (join ", " $quoted)) -}}
{{- $whom := "no namespace" -}}
{{- if $patterns -}}
{{- $more := sub (len $patterns) 5 -}}
{{- $whom = printf "namespaces %s%s" (slice $patterns 0 (min 5 (len $patterns)) | join ", ") (ternary (printf " and %d more" $more) "" (gt $more 0)) -}}
{{- end -}}
{{- $sentences = append $sentences (printf "'%s': ' is for %s'" $mesh $whom) -}}
{{- end -}}
{{- $users := list -}}
{{- $groups := list -}}
{{- range (include "kuma-workload.workloadManagers" . | fromJson).names -}}
{{- if hasPrefix "group:" . -}}
{{- $groups = append $groups (trimPrefix "group:" .) -}}
{{- else -}}
{{- $users = append $users . -}}
{{- end -}}
{{- end -}}
{{- $isUser := include "kuma-workload.vapStandsFor" (dict "of" "user" "entries" $users "name" "variables.user") | fromJson -}}
{{- $isGroup := include "kuma-workload.vapStandsFor" (dict "of" "group" "entries" $groups "name" "group") | fromJson -}}
{{- $isManager := printf "%s ||\nvariables.groups.exists(group, %s)" $isUser.expression $isGroup.expression -}}
{{- dict
      "meshNamespaces" (list (dict "name" "meshNamespaces" "expression" (printf "{\n  %s\n}" (join ",\n  " $meshes))))
      "meshSentences" (list (dict "name" "meshSentences" "expression" (printf "{\n  %s\n}" (join ",\n  " $sentences))))
      "userNames" $isUser.variables
      "groupNames" $isGroup.variables
      "isManager" (list (dict "name" "isManager" "expression" $isManager))
    | toYaml -}}
{{- end -}}

{{/* Whether one of the entries stands for a name: the expression, and the variables that it needs. An entry that ends
in * stands for all names that begin so. */}}
{{- define "kuma-workload.vapStandsFor" -}}
{{- $names := list -}}
{{- $beginnings := list -}}
{{- $lengths := dict -}}
{{- $last := "" -}}
{{- range .entries | uniq | sortAlpha -}}
{{- $text := trimSuffix "*" . -}}
{{- $literal := printf "'%s': true" ($text | replace `\` `\\` | replace "'" `\'`) -}}
{{- if not (hasSuffix "*" .) -}}
{{- $names = append $names $literal -}}
{{- else if or (not $last) (not (hasPrefix $last $text)) -}}
{{- /* Whatever begins with $last comes right after it, and adds nothing to it. */ -}}
{{- $last = $text -}}
{{- $beginnings = append $beginnings $literal -}}
{{- $_ := set $lengths (len $text | printf "%03d") (len $text) -}}
{{- end -}}
{{- end -}}
{{- $variables := list (dict "name" (printf "%sNames" .of) "expression" (printf "{%s}" (join ", " $names))) -}}
{{- $expression := printf "%s in variables.%sNames" .name .of -}}
{{- if $beginnings -}}
{{- $variables = append $variables (dict "name" (printf "%sBeginnings" .of) "expression" (printf "{%s}" (join ", " $beginnings))) -}}
{{- $sorted := list -}}
{{- range keys $lengths | sortAlpha -}}{{- $sorted = append $sorted (index $lengths .) -}}{{- end -}}
{{- $expression = printf "%s ||\n[%s].exists(length, length <= size(%s) && %s.substring(0, length) in variables.%sBeginnings)" $expression (join ", " $sorted) .name .name .of -}}
{{- end -}}
{{- dict "expression" $expression "variables" $variables | toJson -}}
{{- end -}}
