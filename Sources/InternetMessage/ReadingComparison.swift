import Octets

extension Entity {
    /// Those of the whole message, for the entity that it is; none for a part.
    var differingReadings: [String] { path.isEmpty ? Message(octets: message, root: self).differingReadings : [] }
}

extension Message {
    /// Defects of the part at `path`, and of what is around it, by which two readers come to other octets, another name or
    /// other parts, a sentence each.
    ///
    /// The verifying side does not trust such a part, so the signing side does not sign it. ``differingReadings`` are not
    /// among them.
    public func structuralDoubts(at path: Entity.Path) -> [String] {
        guard let part = root.entity(at: path) else { return [] }
        var found = part.structuralAmbiguities(called: "the part")
        for depth in path.indices {
            guard let around = root.entity(at: Array(path[..<depth])) else { continue }
            found += around.structuralAmbiguities(called: depth == 0 ? "the message" : "a multipart around it")
        }
        return found
    }

    /// How readers in use differ in the parts that they find in this message, a sentence each; empty where all agree.
    ///
    /// The message is read again with each of ``ReadingHabits/others``, and the outlines are compared: which parts there are,
    /// where the body of each begins and ends, its type, transfer encoding and boundary. What is in a message/rfc822 that is a
    /// part is not compared: it is one document, whose octets are the same for all.
    public var differingReadings: [String] {
        octets.withUnsafeBytes { buffer in
            let candidates = DelimiterCandidates(buffer)
            func outline(_ habits: ReadingHabits) -> Outline? {
                var reader = EntityReader(
                    octets: octets, buffer: buffer, limits: Limits(), habits: habits, candidates: candidates)
                do { return Outline(try reader.read(), habits) } catch { return nil }
            }
            // Nobody knows what stands in a message that is beyond the limits.
            guard let own = outline(ReadingHabits()) else { return ["the message has more parts than are read"] }
            var reasons: [String] = []
            for (habits, because) in ReadingHabits.others where !reasons.contains(because) {
                if outline(habits) != own { reasons.append(because) }
            }
            return reasons.map { "readers of mail differ in its parts: " + $0 }
        }
    }
}

/// What a reader makes of a message: its parts, and where each begins and ends.
private struct Outline: Equatable {
    struct Part: Equatable {
        let path: Entity.Path
        let body: Range<Int>
        let mediaType: String
        /// nil where the octets stand as they are.
        let encoding: ContentTransferEncoding?
        let boundary: OctetString?
    }

    let parts: [Part]

    init(_ root: Entity, _ habits: ReadingHabits) {
        var parts: [Part] = []
        for entity in root.walk(.ownParts) {
            var boundary: OctetString?
            if case .multipart(let multipart) = entity.content {
                boundary = multipart.boundary
                if habits.showsPreamble, entity.message.slice(multipart.preamble).contains(0x3A) {
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
    }
}
