import InternetMessage
import Octets

/// Finds parts that some reader shows under one name, so that nobody can tell which of them a verdict is about.
struct SharedNames {
    /// A part of one of a message's layers.
    struct Place: Hashable {
        let layer: Int
        let path: Entity.Path
    }

    private struct Named {
        let place: Place
        let part: Entity
        let names: [ShownFileName]
        /// Shown by some readers in place of a name.
        let descriptions: [ShownFileName]
        /// Files that some readers find within the part.
        let enclosed: EnclosedFiles
    }

    private let all: [Named]

    /// - Parameter layers: The message and those enclosed in it. Readers show the parts of forwarded messages too.
    init(of layers: [Message], using charsets: some CharsetDecoding) {
        all = layers.enumerated().flatMap { layer, message in
            message.root.walk(.enclosedMessages).compactMap { part in
                let names = part.shownFileNames(using: charsets)
                let descriptions = part.shownDescriptions(using: charsets)
                let enclosed = EnclosedFiles(in: part)
                guard !names.isEmpty || !descriptions.isEmpty || enclosed != .named([]) else { return nil }
                return Named(
                    place: Place(layer: layer, path: part.path), part: part, names: names, descriptions: descriptions,
                    enclosed: enclosed)
            }
        }
    }

    /// Returns true if a part that is not one of `known` may be shown under a name of the part at `place`, and holds
    /// something else.
    func isShared(_ place: Place, beyond known: Set<Place>) -> Bool {
        guard let own = all.first(where: { $0.place == place }) else { return false }
        return all.contains { other in
            guard other.place != place, !known.contains(other.place) else { return false }
            switch other.enclosed {
            case .unknown: return true
            case .named(let names): if ShownFileName.areTaken(own.names, for: names) { return true }
            }
            let isTaken =
                ShownFileName.areTaken(own.names, for: other.names + other.descriptions)
                || ShownFileName.areTaken(own.descriptions, for: other.names)
            let isSame =
                own.part.contentType.mediaType == other.part.contentType.mediaType
                && Self.areEqual(own.part.decodedSource, other.part.decodedSource)
            return isTaken && !isSame
        }
    }

    private static func areEqual(_ one: any OctetSource, _ other: any OctetSource) -> Bool {
        guard one.count == other.count else { return false }
        var (first, second) = (Octets(one.makeReader()), Octets(other.makeReader()))
        while let octet = first.next() {
            guard octet == second.next() else { return false }
        }
        return true
    }

    /// The octets of a source one after the other.
    private struct Octets {
        private var reader: any OctetReader
        private var buffer = [UInt8](repeating: 0, count: 4_096)
        private var filled = 0
        private var index = 0

        init(_ reader: any OctetReader) { self.reader = reader }

        mutating func next() -> UInt8? {
            if index == filled {
                filled = buffer.withUnsafeMutableBytes { reader.read(into: $0) }
                index = 0
                guard filled > 0 else { return nil }
            }
            defer { index += 1 }
            return buffer[index]
        }
    }
}
