/// What is done with one message, and why.
///
/// Processing follows it and `ses explain` prints it: there is no other account of how a message was decided.
public struct Decision: Sendable, Hashable {
    public let direction: Direction
    /// The first workflow whose filter holds; nil when none does, or none was asked.
    public let workflow: Workflow?
    /// In the order in which they run; empty without a workflow.
    public let operations: [Operation]
    /// Where the message goes without any operation; nil with a workflow, whose operations decide that.
    public let action: RoutingAction?
    /// Whether the message cannot be decided about, and ``action`` is that for errors.
    public let isFailure: Bool
    /// One plain sentence.
    public let reason: String
    /// Every criterion of every workflow that was asked, in document order; the last ones are those of ``workflow``.
    public let criteria: [CriterionFinding]
    /// What the operations on attachments are for, in the order of the parts: those that the workflow's Attachment criteria
    /// select, all when it has none. Empty when no operation of the workflow is on attachments.
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

/// What came of one criterion for one message.
public struct CriterionFinding: Sendable, Hashable {
    /// The name of the workflow it belongs to.
    public let workflow: String
    /// The criterion's line in `ses.xml`.
    public let line: Int
    /// The element's name, such as `From`.
    public let criterion: String
    /// What is configured: the `contains` text, or the attributes where there may be several.
    public let value: String
    /// nil: nobody can tell (``isOpen``), or not looked at, because the other criteria had decided the filter and
    /// this one is costly to find out.
    public let holds: Bool?
    /// Whether the message was asked and does not say, because an address in it cannot be read.
    public let isOpen: Bool
    /// What the message says to it. Text of the message is bounded and its control characters are escaped.
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
