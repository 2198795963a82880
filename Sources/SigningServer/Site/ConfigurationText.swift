import CMSSignatures
import Octets
import XMLReading

/// The text of `dss.xml` while a command changes it.
struct ConfigurationText {
    private(set) var octets: [UInt8]
    private var outline: MarkupOutline
    /// The work on files that nothing refers to once the text is in force.
    var afterwards: [Leftover] = []

    /// A file that the former text named.
    enum Leftover: Sendable {
        case remove(String)
        /// Moved to `keys/old`.
        case putAside(String)
    }

    init(_ octets: [UInt8]) {
        self.octets = octets
        outline = MarkupOutline(octets)
    }

    // MARK: Keys

    /// Adds a `<Key>` behind the last one.
    mutating func addKey(_ attributes: [(name: String, value: String)]) {
        insert(Self.tag("Key", attributes), in: 0, behind: "Key", before: "SigningProfile")
    }

    /// Grants a key to a client.
    mutating func grant(_ alias: String, to client: String) {
        for place in outline.children("Client", of: 0) where outline.elements[place].attribute("id") == client {
            insert(Self.tag("Key", [("ref", alias)]), in: place, behind: "Key", before: nil)
            return
        }
    }

    /// Puts other attributes in the place of those that say where the key is.
    mutating func replaceKey(_ alias: String, _ attributes: [(name: String, value: String)]) {
        guard let place = key(alias) else { return }
        let element = outline.elements[place]
        let kept = element.attributes.filter { ["alias", "default"].contains($0.name) }.map { ($0.name, $0.value) }
        let first = kept.filter { $0.0 == "alias" }
        let last = kept.filter { $0.0 != "alias" }
        replace(element.range, with: Self.tag("Key", first + attributes + last))
    }

    /// Takes a key out, with the grants of it and where profiles name it.
    mutating func removeKey(_ alias: String) {
        let name = KeyStore.folded(alias)
        while let place = outline.elements.indices.first(where: { place in
            let element = outline.elements[place]
            guard element.name == "Key", element.parent != nil else { return false }
            return (element.attribute("alias") ?? element.attribute("ref")).map(KeyStore.folded) == name
        }) { remove(place) }
        while let element = outline.elements.first(where: { element in
            element.name == "SigningProfile" && element.attribute("key").map(KeyStore.folded) == name
        }), let attribute = element.attributes.first(where: { $0.name == "key" }) {
            replace(attribute.range, with: "")
        }
    }

    private func key(_ alias: String) -> Int? {
        let name = KeyStore.folded(alias)
        return outline.children("Key", of: 0).first {
            outline.elements[$0].attribute("alias").map(KeyStore.folded) == name
        }
    }

    // MARK: Trust

    /// Adds a file to a verification profile.
    mutating func addTrust(_ path: String, _ role: TrustEntry.Role, to profile: String) {
        guard let place = verificationProfile(profile) else { return }
        let element = "<\(role.rawValue)>\(XMLEscaping.text(path))</\(role.rawValue)>"
        // The elements of a profile have an order.
        let before = role == .anchor ? "Intermediate" : role == .intermediate ? "CRL" : "Policy"
        insert(element, in: place, behind: role.rawValue, before: before)
    }

    /// Takes a file out of a verification profile.
    mutating func removeTrust(_ path: String, _ role: TrustEntry.Role, from profile: String) {
        guard let place = verificationProfile(profile) else { return }
        let entry = outline.children(role.rawValue, of: place).first {
            outline.text(of: $0).trimmed == path
        }
        if let entry { remove(entry) }
    }

    private func verificationProfile(_ id: String) -> Int? {
        outline.children("VerificationProfile", of: 0).first { outline.elements[$0].attribute("id") == id }
    }

    // MARK: Text

    private static func tag(_ name: String, _ attributes: [(name: String, value: String)]) -> String {
        "<\(name)" + attributes.map { " \($0.name)=\"\(XMLEscaping.attribute($0.value))\"" }.joined() + "/>"
    }

    /// Inserts an element behind the last child of one name; without one before the first of another, or at the end.
    private mutating func insert(_ element: String, in parent: Int, behind name: String, before other: String?) {
        if let last = outline.children(name, of: parent).last {
            let place = outline.elements[last]
            let end = place.range.upperBound
            replace(end..<end, with: lineEnd + indentation(at: place.range.lowerBound) + element)
            return
        }
        if let other, let next = outline.children(other, of: parent).first {
            let start = outline.elements[next].range.lowerBound
            replace(start..<start, with: element + lineEnd + indentation(at: start))
            return
        }
        let place = outline.elements[parent]
        let outer = indentation(at: place.range.lowerBound)
        guard !place.isEmpty else {
            // `<Client id="x"/>` becomes two tags.
            let slash = octets[place.startTag].lastIndex(of: UInt8(ascii: "/")) ?? place.startTag.upperBound - 2
            replace(
                slash..<place.range.upperBound,
                with: ">\(lineEnd)\(outer)  \(element)\(lineEnd)\(outer)</\(place.name)>")
            return
        }
        let end = octets[place.range].lastIndex(of: UInt8(ascii: "<")) ?? place.range.upperBound
        let isAlone = octets[lineStart(end)..<end].allSatisfy { $0 == 0x20 || $0 == 0x09 }
        replace(end..<end, with: isAlone ? "  \(element)\(lineEnd)\(outer)" : element)
    }

    /// Takes an element out, with its line if there is nothing else on it.
    private mutating func remove(_ place: Int) {
        let range = outline.elements[place].range
        let start = lineStart(range.lowerBound)
        var end = range.upperBound
        while end < octets.count, [0x20, 0x09, 0x0D].contains(octets[end]) { end += 1 }
        let isAlone =
            octets[start..<range.lowerBound].allSatisfy { $0 == 0x20 || $0 == 0x09 }
            && (end == octets.count || octets[end] == 0x0A)
        replace(isAlone ? start..<min(end + 1, octets.count) : range, with: "")
    }

    private mutating func replace(_ range: Range<Int>, with text: String) {
        octets.replaceSubrange(range, with: text.utf8)
        outline = MarkupOutline(octets)
    }

    private var lineEnd: String {
        guard let feed = octets.firstIndex(of: 0x0A), feed > 0, octets[feed - 1] == 0x0D else { return "\n" }
        return "\r\n"
    }

    private func lineStart(_ place: Int) -> Int { (octets[..<place].lastIndex(of: 0x0A) ?? -1) + 1 }

    private func indentation(at place: Int) -> String {
        let line = octets[lineStart(place)..<place]
        return String(decoding: line.prefix { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
