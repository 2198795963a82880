import Octets

extension Entity {
    /// Those of the whole message, for the entity that it is; none for a part.
    var differingReadings: [String] { path.isEmpty ? Message(octets: message, root: self).differingReadings : [] }
}

extension Message {
    /// Defects of the part at `path`, and of the parts around it, that lead two readers to other octets, another name
    /// or other parts, a sentence each.
    ///
    /// The verifying side does not trust such a part, so the signing side does not sign it. The ``differingReadings``
    /// are not included.
    public func structuralDoubts(at path: Entity.Path) -> [String] {
        guard let part = root.entity(at: path) else { return [] }
        var found = part.structuralAmbiguities(called: "the part")
        for depth in path.indices {
            guard let around = root.entity(at: Array(path[..<depth])) else { continue }
            found += around.structuralAmbiguities(called: depth == 0 ? "the message" : "a multipart around it")
        }
        return found
    }

    /// The differences between the parts that readers in use find in this message, a sentence each; empty if all agree.
    ///
    /// The message is read again with those of ``ReadingHabits/others`` that may matter for it, and the outlines are
    /// compared: the parts, where the body of each begins and ends, its type, transfer encoding and boundary. The
    /// content of a message/rfc822 part is not compared: it is one document, and its octets are the same for all
    /// readers.
    public var differingReadings: [String] { differingReadings(trying: .habitsThatMatter) }

    /// The habits that are tried on a message.
    enum Trial {
        /// Those that make a choice in which they differ from this project's: see ``ReadingChoices``.
        case habitsThatMatter
        /// All of them, which gives the same answer in far more time.
        case allHabits
    }

    func differingReadings(trying trial: Trial) -> [String] {
        octets.withUnsafeBytes { buffer in
            // Nobody knows what stands in a message that is beyond the limits.
            guard let comparison = ReadingComparison(octets, buffer) else {
                return ["the message has more parts than are read"]
            }
            var reasons: [String] = []
            for other in ReadingComparison.others where !reasons.contains(other.because) {
                let isTried = trial == .allHabits || comparison.matters(other.habits, other.choices)
                if isTried, comparison.differs(other.habits) { reasons.append(other.because) }
            }
            return reasons.map { "readers of mail differ in its parts: " + $0 }
        }
    }

    /// The number of other readers that are tried on this message; nil if it is beyond the limits.
    var othersThatMatter: Int? {
        octets.withUnsafeBytes { buffer in
            ReadingComparison(octets, buffer).map { comparison in
                ReadingComparison.others.count { comparison.matters($0.habits, $0.choices) }
            }
        }
    }
}

/// One reading of a message with this project's habits, and what it takes to compare it with others.
private struct ReadingComparison {
    /// Each of ``ReadingHabits/others`` with the choices in which it differs from this project's habits.
    static let others = ReadingHabits.others.map { other in
        (habits: other.habits, because: other.because, choices: other.habits.choices)
    }

    private let octets: OctetString
    private let buffer: UnsafeRawBufferPointer
    private let candidates: DelimiterCandidates
    private let root: Entity
    private let outline: Outline
    /// The choices that came up.
    private let met: ReadingChoices
    private let oddFields: [StructuralField]

    /// - Parameter buffer: The octets; it must outlive this value.
    /// - Returns: nil where the message is beyond the limits.
    init?(_ octets: OctetString, _ buffer: UnsafeRawBufferPointer) {
        self.octets = octets
        self.buffer = buffer
        candidates = DelimiterCandidates(buffer)
        var reader = EntityReader(octets: octets, buffer: buffer, limits: Message.Limits(), candidates: candidates)
        do { root = try reader.read() } catch { return nil }
        outline = Outline(root, ReadingHabits())
        met = outline.hasShownPreamble ? reader.choices.union(.preamble) : reader.choices
        oddFields = reader.oddFields
    }

    /// True if a reader with `habits`, which differ in `choices`, may find other parts.
    func matters(_ habits: ReadingHabits, _ choices: ReadingChoices) -> Bool {
        let relevant = choices.intersection(met)
        // A reader that takes the same from each field goes the same way.
        return relevant == .fieldForm ? oddFields.contains { $0.differs(with: habits) } : !relevant.isEmpty
    }

    /// True if a reader with `habits` finds other parts.
    func differs(_ habits: ReadingHabits) -> Bool {
        var reader = EntityReader(
            octets: octets, buffer: buffer, limits: Message.Limits(), habits: habits, candidates: candidates)
        do {
            let isOther = Outline(try reader.read(), habits) != outline
            return isOther && !(habits.requiresMIMEVersion && root.isHarmlessAsText)
        } catch { return true }
    }
}

/// A message as one reader sees it: its parts, and where each begins and ends.
private struct Outline: Equatable {
    struct Part: Equatable {
        let path: Entity.Path
        let body: Range<Int>
        let mediaType: String
        /// Nil if the octets are not encoded.
        let encoding: ContentTransferEncoding?
        let boundary: OctetString?
    }

    let parts: [Part]
    /// True if a preamble is a part with a content for some reader.
    let hasShownPreamble: Bool

    static func == (one: Outline, other: Outline) -> Bool { one.parts == other.parts }

    init(_ root: Entity, _ habits: ReadingHabits) {
        var parts: [Part] = []
        var hasShownPreamble = false
        for entity in root.walk(.ownParts) {
            var boundary: OctetString?
            if case .multipart(let multipart) = entity.content {
                boundary = multipart.boundary
                let isShown = multipart.showsPreamble(in: entity.message)
                if isShown { hasShownPreamble = true }
                if habits.showsPreamble, isShown {
                    parts.append(
                        Part(
                            path: entity.path, body: multipart.preamble, mediaType: "text/plain", encoding: nil,
                            boundary: nil))
                }
            }
            let encoding = entity.transferEncoding.isIdentity ? nil : entity.transferEncoding
            parts.append(
                Part(
                    path: entity.path, body: entity.bodyRange, mediaType: entity.contentType.mediaType,
                    encoding: encoding, boundary: boundary))
        }
        self.parts = parts
        self.hasShownPreamble = hasShownPreamble
    }
}
