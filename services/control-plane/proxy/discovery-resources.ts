/**
 * Kubernetes' built-in groups and resources, as discovery lists them, in the shortest form that a person can check: one
 * line per resource, `plural[,short name…] Kind [+category]`, a `*` before what is not namespaced, a `!` before what can
 * only be created. It is the same for every cluster and says nothing about any (D20).
 */

/** Group and version to its resources; the core group is `v1`. */
export const builtInResources: Readonly<Record<string, string>> = {
  v1: `
    !bindings Binding
    *componentstatuses,cs ComponentStatus
    configmaps,cm ConfigMap
    endpoints,ep Endpoints
    events,ev Event
    limitranges,limits LimitRange
    *namespaces,ns Namespace
    *nodes,no Node
    persistentvolumeclaims,pvc PersistentVolumeClaim
    *persistentvolumes,pv PersistentVolume
    pods,po Pod +all
    podtemplates PodTemplate
    replicationcontrollers,rc ReplicationController +all
    resourcequotas,quota ResourceQuota
    secrets Secret
    serviceaccounts,sa ServiceAccount
    services,svc Service +all`,
  'apiregistration.k8s.io/v1': `
    *apiservices APIService +api-extensions`,
  'apps/v1': `
    controllerrevisions ControllerRevision
    daemonsets,ds DaemonSet +all
    deployments,deploy Deployment +all
    replicasets,rs ReplicaSet +all
    statefulsets,sts StatefulSet +all`,
  'events.k8s.io/v1': `
    events,ev Event`,
  'authentication.k8s.io/v1': `
    *!selfsubjectreviews SelfSubjectReview
    *!tokenreviews TokenReview`,
  'authorization.k8s.io/v1': `
    !localsubjectaccessreviews LocalSubjectAccessReview
    *!selfsubjectaccessreviews SelfSubjectAccessReview
    *!selfsubjectrulesreviews SelfSubjectRulesReview
    *!subjectaccessreviews SubjectAccessReview`,
  'autoscaling/v2': `
    horizontalpodautoscalers,hpa HorizontalPodAutoscaler +all`,
  'autoscaling/v1': `
    horizontalpodautoscalers,hpa HorizontalPodAutoscaler +all`,
  'batch/v1': `
    cronjobs,cj CronJob +all
    jobs Job +all`,
  'certificates.k8s.io/v1': `
    *certificatesigningrequests,csr CertificateSigningRequest`,
  'networking.k8s.io/v1': `
    *ingressclasses IngressClass
    ingresses,ing Ingress
    *ipaddresses,ip IPAddress
    networkpolicies,netpol NetworkPolicy
    *servicecidrs ServiceCIDR`,
  'policy/v1': `
    poddisruptionbudgets,pdb PodDisruptionBudget`,
  'rbac.authorization.k8s.io/v1': `
    *clusterrolebindings ClusterRoleBinding
    *clusterroles ClusterRole
    rolebindings RoleBinding
    roles Role`,
  'storage.k8s.io/v1': `
    *csidrivers CSIDriver
    *csinodes CSINode
    csistoragecapacities CSIStorageCapacity
    *storageclasses,sc StorageClass
    *volumeattachments VolumeAttachment
    *volumeattributesclasses,vac VolumeAttributesClass`,
  'admissionregistration.k8s.io/v1': `
    *mutatingwebhookconfigurations MutatingWebhookConfiguration +api-extensions
    *validatingadmissionpolicies ValidatingAdmissionPolicy +api-extensions
    *validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding +api-extensions
    *validatingwebhookconfigurations ValidatingWebhookConfiguration +api-extensions`,
  'apiextensions.k8s.io/v1': `
    *customresourcedefinitions,crd,crds CustomResourceDefinition +api-extensions`,
  'scheduling.k8s.io/v1': `
    *priorityclasses,pc PriorityClass`,
  'coordination.k8s.io/v1': `
    leases Lease`,
  'node.k8s.io/v1': `
    *runtimeclasses RuntimeClass`,
  'discovery.k8s.io/v1': `
    endpointslices EndpointSlice`,
  'flowcontrol.apiserver.k8s.io/v1': `
    *flowschemas FlowSchema
    *prioritylevelconfigurations PriorityLevelConfiguration`,
};
