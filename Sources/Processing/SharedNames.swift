import InternetMessage

/// Finds parts that some reader shows under one name, so that nobody can tell which of them a verdict is about.
struct SharedNames {
    private let names: [Entity.Path: Set<String>]

    init(of message: Message) {
        var names: [Entity.Path: Set<String>] = [:]
        for part in message.root.walk(.ownParts) {
            let own = part.everyFileName(using: BuiltInCharsets()).map { OpeningHints.trimmed($0).lowercased() }
            if !own.isEmpty { names[part.path] = Set(own) }
        }
        self.names = names
    }

    /// Whether a part that is none of `known` may be shown under a name of the part at `path`.
    func isShared(_ path: Entity.Path, beyond known: Set<Entity.Path>) -> Bool {
        guard let own = names[path] else { return false }
        return names.contains { $0.key != path && !known.contains($0.key) && !own.isDisjoint(with: $0.value) }
    }
}
