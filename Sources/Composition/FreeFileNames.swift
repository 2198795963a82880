public import InternetMessage

/// File names that no other part of a message has, so that nobody who saves them all loses one.
public struct FreeFileNames: Sendable {
    /// Folded: file systems of readers tell names apart by less than Unicode does.
    private var taken: Set<String>

    /// - Parameter names: What attachments are called, as decoded; those of other parts are found here.
    public init(of message: Message, _ names: [String]) {
        let charsets = BuiltInCharsets()
        // What S/MIME calls the layers of a mail no file may be called (RFC 8551 §3.2.1).
        taken = Set(["smime.p7m", "smime.p7s"] + names.map(Self.folded))
        for part in message.root.walk(.ownParts) {
            if let name = part.fileName(using: charsets) { taken.insert(Self.folded(name)) }
        }
    }

    /// `name` and `ending`, with a number before the ending of `name` where that is taken; it is taken from now on.
    public mutating func take(_ name: String?, ending: String) -> String {
        let name = name ?? "attachment"
        var candidate = name + ending
        var number = 2
        while !taken.insert(Self.folded(candidate)).inserted {
            let dot = name.lastIndex(of: ".").flatMap { $0 == name.startIndex ? nil : $0 } ?? name.endIndex
            candidate = "\(name[..<dot])-\(number)\(name[dot...])\(ending)"
            number += 1
        }
        return candidate
    }

    private static func folded(_ name: String) -> String { name.lowercased() }
}
