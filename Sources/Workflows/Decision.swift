/// The decision about one message, and the reasons for it.
///
/// Processing follows it and `ses explain` prints it: there is no other account of how a message was decided.
public struct Decision: Sendable, Hashable {
    public let direction: Direction
    /// The first workflow whose filter holds; nil when none does, or none was asked.
    public let workflow: Workflow?
    /// In the order in which they run; empty without a workflow.
    public let operations: [Operation]
    /// The action for a message without an operation; nil with a workflow, whose operations decide.
    public let action: RoutingAction?
    /// True if nothing can be decided about the message, and ``action`` is the one for errors.
    public let isFailure: Bool
    /// One plain sentence.
    public let reason: String
    /// Every criterion of every workflow that was asked, in document order; the last ones are those of ``workflow``.
    public let criteria: [CriterionFinding]
    /// The attachments that the operations work on, in the order of the parts: those that the workflow's Attachment
    /// criteria select, or all if it has none. Empty if no operation of the workflow is on attachments.
    public let attachments: [AttachmentFacts]

    public init(
        direction: Direction, workflow: Workflow?, action: RoutingAction?, isFailure: Bool = false, reason: String,
        criteria: [CriterionFinding], attachments: [AttachmentFacts] = []
    ) {
        self.isFailure = isFailure
        self.direction = direction
        self.workflow = workflow
        self.operations = workflow?.operations ?? []
        self.action = action
        self.reason = reason
        self.criteria = criteria
        self.attachments = attachments
    }
}

/// The result of one criterion for one message.
public struct CriterionFinding: Sendable, Hashable {
    /// The name of the workflow it belongs to.
    public let workflow: String
    /// The criterion's line in `ses.xml`.
    public let line: Int
    /// The element's name, such as `From`.
    public let criterion: String
    /// The configured value: the `contains` text, or the attributes if there may be several.
    public let value: String
    /// Nil if it is unknown (``isOpen``), or was not evaluated, because the other criteria had decided the filter and
    /// this one is costly.
    public let holds: Bool?
    /// True if the message does not tell, because an address in it cannot be read.
    public let isOpen: Bool
    /// The message's answer to the criterion. Text of the message is bounded and its control characters are escaped.
    public let because: String

    public init(
        workflow: String, line: Int, criterion: String, value: String, holds: Bool?, isOpen: Bool = false,
        because: String
    ) {
        self.isOpen = isOpen
        self.workflow = workflow
        self.line = line
        self.criterion = criterion
        self.value = value
        self.holds = holds
        self.because = because
    }
}
