/**
 * Object metadata and the core group (v1) apart from pods; the notation is explained in message-types.ts.
 */
export const coreTypes = `
ObjectMeta: 1 name string, 2 generateName string, 3 namespace string, 4 selfLink string, 5 uid string,
  6 resourceVersion string, 7 generation int64, 8 creationTimestamp Time, 9 deletionTimestamp Time?,
  10 deletionGracePeriodSeconds int64?, 11 labels {}string, 12 annotations {}string,
  13 ownerReferences []OwnerReference@uid, 14 finalizers []string@, 17 managedFields []ManagedFieldsEntry
DeleteOptions: 1 gracePeriodSeconds int64?, 2 preconditions Preconditions?, 3 orphanDependents bool?,
  4 propagationPolicy string?, 5 dryRun []string, 6 ignoreStoreReadErrorWithClusterBreakingPotential bool?
LabelSelector: 1 matchLabels {}string, 2 matchExpressions []LabelSelectorRequirement
OwnerReference: 5 apiVersion string, 1 kind string, 3 name string, 4 uid string, 6 controller bool?,
  7 blockOwnerDeletion bool?
ManagedFieldsEntry: 1 manager string, 2 operation string, 3 apiVersion string, 4 time Time?, 6 fieldsType string,
  7 fieldsV1 FieldsV1?, 8 subresource string
Preconditions: 1 uid string?, 2 resourceVersion string?
LabelSelectorRequirement: 1 key string, 2 operator string, 3 values []string
ConfigMap: 1 metadata ObjectMeta, 4 immutable bool?, 2 data {}string, 3 binaryData {}bytes
Secret: 1 metadata ObjectMeta, 5 immutable bool?, 2 data {}bytes, 4 stringData {}string, 3 type string
Service: 1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status ServiceStatus
ServiceAccount: 1 metadata ObjectMeta, 2 secrets []ObjectReference@name, 3 imagePullSecrets []LocalObjectReference,
  4 automountServiceAccountToken bool?
Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status NamespaceStatus
Node: 1 metadata ObjectMeta, 2 spec NodeSpec, 3 status NodeStatus
Event: 1 metadata ObjectMeta, 2 involvedObject ObjectReference, 3 reason string, 4 message string,
  5 source EventSource, 6 firstTimestamp Time, 7 lastTimestamp Time, 8 count int32, 9 type string,
  10 eventTime MicroTime, 11 series EventSeries?, 12 action string, 13 related ObjectReference?,
  14 reportingComponent string, 15 reportingInstance string
ServiceSpec: 1 ports []ServicePort@port, 2 selector {}string, 3 clusterIP string, 18 clusterIPs []string,
  4 type string, 5 externalIPs []string, 7 sessionAffinity string, 8 loadBalancerIP string,
  9 loadBalancerSourceRanges []string, 10 externalName string, 11 externalTrafficPolicy string,
  12 healthCheckNodePort int32, 13 publishNotReadyAddresses bool, 14 sessionAffinityConfig SessionAffinityConfig?,
  19 ipFamilies []string, 17 ipFamilyPolicy string?, 20 allocateLoadBalancerNodePorts bool?,
  21 loadBalancerClass string?, 22 internalTrafficPolicy string?, 23 trafficDistribution string?
ServiceStatus: 1 loadBalancer LoadBalancerStatus, 2 conditions []Condition@type
ObjectReference: 1 kind string, 2 namespace string, 3 name string, 4 uid string, 5 apiVersion string,
  6 resourceVersion string, 7 fieldPath string
NamespaceSpec: 1 finalizers []string
NamespaceStatus: 1 phase string, 2 conditions []NamespaceCondition@type
NodeSpec: 1 podCIDR string, 7 podCIDRs []string@, 3 providerID string, 4 unschedulable bool, 5 taints []Taint,
  6 configSource NodeConfigSource?, 2 externalID string
NodeStatus: 1 capacity {}Quantity, 2 allocatable {}Quantity, 3 phase string, 4 conditions []NodeCondition@type,
  5 addresses []NodeAddress@type, 6 daemonEndpoints NodeDaemonEndpoints, 7 nodeInfo NodeSystemInfo,
  8 images []ContainerImage, 9 volumesInUse []string, 10 volumesAttached []AttachedVolume,
  11 config NodeConfigStatus?, 12 runtimeHandlers []NodeRuntimeHandler, 13 features NodeFeatures?,
  14 declaredFeatures []string
EventSource: 1 component string, 2 host string
EventSeries: 1 count int32, 2 lastObservedTime MicroTime
ServicePort: 1 name string, 2 protocol string, 6 appProtocol string?, 3 port int32, 4 targetPort IntOrString,
  5 nodePort int32
SessionAffinityConfig: 1 clientIP ClientIPConfig?
LoadBalancerStatus: 1 ingress []LoadBalancerIngress
Condition: 1 type string, 2 status string, 3 observedGeneration int64, 4 lastTransitionTime Time, 5 reason string,
  6 message string
NamespaceCondition: 1 type string, 2 status string, 4 lastTransitionTime Time, 5 reason string, 6 message string
Taint: 1 key string, 2 value string, 3 effect string, 4 timeAdded Time?
NodeConfigSource: 2 configMap ConfigMapNodeConfigSource?
NodeCondition: 1 type string, 2 status string, 3 lastHeartbeatTime Time, 4 lastTransitionTime Time, 5 reason string,
  6 message string
NodeAddress: 1 type string, 2 address string
NodeDaemonEndpoints: 1 kubeletEndpoint DaemonEndpoint
NodeSystemInfo: 1 machineID string, 2 systemUUID string, 3 bootID string, 4 kernelVersion string, 5 osImage string,
  6 containerRuntimeVersion string, 7 kubeletVersion string, 8 kubeProxyVersion string, 9 operatingSystem string,
  10 architecture string, 11 swap NodeSwapStatus?
ContainerImage: 1 names []string, 2 sizeBytes int64
AttachedVolume: 1 name string, 2 devicePath string
NodeConfigStatus: 1 assigned NodeConfigSource?, 2 active NodeConfigSource?, 3 lastKnownGood NodeConfigSource?,
  4 error string
NodeRuntimeHandler: 1 name string, 2 features NodeRuntimeHandlerFeatures?
NodeFeatures: 1 supplementalGroupsPolicy bool?
ClientIPConfig: 1 timeoutSeconds int32?
LoadBalancerIngress: 1 ip string, 2 hostname string, 3 ipMode string?, 4 ports []PortStatus
ConfigMapNodeConfigSource: 1 namespace string, 2 name string, 3 uid string, 4 resourceVersion string,
  5 kubeletConfigKey string
DaemonEndpoint: 1 Port int32
NodeSwapStatus: 1 capacity int64?
NodeRuntimeHandlerFeatures: 1 recursiveReadOnlyMounts bool?, 2 userNamespaces bool?
PortStatus: 1 port int32, 2 protocol string, 3 error string?
`;
