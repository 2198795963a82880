extension Entity {
    /// The depth of a walk.
    public enum Reach: Hashable, Sendable {
        /// The parts of multiparts, not into messages that are parts.
        case ownParts
        /// Also the messages within (RFC 2046 §5.2.1), and their parts.
        case enclosedMessages
    }

    /// The entity and those in it, each before its parts.
    public func walk(_ reach: Reach = .ownParts) -> [Entity] {
        var found: [Entity] = []
        var waiting = [self]
        while let entity = waiting.popLast() {
            found.append(entity)
            switch entity.content {
            case .leaf: break
            case .multipart(let multipart): waiting.append(contentsOf: multipart.parts.reversed())
            case .message(let message): if reach == .enclosedMessages { waiting.append(message) }
            }
        }
        return found
    }

    /// The entity at `path`, which is counted from this one; nil when there is none.
    public func entity(at path: Path) -> Entity? {
        var entity = self
        for index in path {
            let children = entity.children
            guard children.indices.contains(index) else { return nil }
            entity = children[index]
        }
        return entity
    }
}
