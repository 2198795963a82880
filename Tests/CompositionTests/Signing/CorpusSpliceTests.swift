import Composition
import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

/// Each leaf of each message of the corpus is changed in each way, as if it were an attachment that was signed.
@Suite("Signed attachments in real mail", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct CorpusSpliceTests {
    struct Given: Sendable {
        let name: String
        let message: Message
        /// The leaves outside of attached messages.
        let leaves: [Entity]
    }

    static let new = OctetString((0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 13) })
    static let signature = OctetString((0..<200).map { UInt8(truncatingIfNeeded: $0 &* 31) })

    static func given() throws -> [Given] {
        guard let shared = TestMaterial.shared else { return [] }
        let folder = shared + "/corpora/mime"
        return try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".eml") || $0.hasSuffix(".txt")
        }.sorted()
            .compactMap { name in
                let octets = OctetString(try TestMaterial.octets(folder + "/" + name)).withCRLFLineEnds()
                guard !octets.isEmpty else { return nil }
                let message = try Message(reading: octets)
                let leaves = message.root.walk(.ownParts).filter { if case .leaf = $0.content { true } else { false } }
                return Given(name: name, message: message, leaves: leaves)
            }
    }

    static func changes(_ leaf: Entity) -> [AttachmentChange] {
        [
            .replaced(new, charset: nil), .enclosed(new, name: "é.p7m"),
            .accompanied(content: leaf.decodedBody, signature: signature, name: signatureName(leaf)),
        ]
    }

    static func signatureName(_ leaf: Entity) -> String {
        (leaf.fileName(using: BuiltInCharsets()) ?? "é") + ".p7s"
    }

    static func spliced(_ message: Message, _ changes: [Entity.Path: AttachmentChange]) -> OctetString {
        AttachmentSplice(changes, token: "0123456789abcdef").applied(to: message).collected()
    }

    @Test("one change leaves every octet before and behind its part unchanged")
    func surroundings() throws {
        let given = try Self.given()
        #expect(given.count > 100)
        var count = 0
        for mail in given {
            for leaf in mail.leaves where !leaf.path.isEmpty {
                for change in Self.changes(leaf) {
                    let result = Self.spliced(mail.message, [leaf.path: change])
                    let before = mail.message.octets.slice(0..<leaf.range.lowerBound)
                    let behind = mail.message.octets.slice(leaf.range.upperBound..<mail.message.octets.count)
                    #expect(result.starts(with: before), "\(mail.name) \(leaf.path)")
                    #expect(result.suffix(behind.count).elementsEqual(behind), "\(mail.name) \(leaf.path)")
                    count += 1
                }
            }
        }
        #expect(count > 300)
    }

    @Test("the reader finds the new parts, and the other ones octet for octet, whatever was changed")
    func reading() throws {
        for mail in try Self.given() {
            let others = Set(mail.leaves.enumerated().filter { $0.offset % 2 == 1 }.map(\.element.path))
            for kind in 0..<3 {
                let changed = mail.leaves.filter { !others.contains($0.path) }
                let result = Self.spliced(
                    mail.message,
                    Dictionary(uniqueKeysWithValues: changed.map { ($0.path, Self.changes($0)[kind]) }))
                let found = try Message(reading: result).root.walk(.ownParts).filter {
                    if case .leaf = $0.content { true } else { false }
                }
                var rest = found[...]
                for leaf in mail.leaves {
                    guard let next = rest.popFirst() else {
                        Issue.record("\(mail.name): parts are missing after change \(kind)")
                        break
                    }
                    if others.contains(leaf.path) {
                        #expect(next.octets == leaf.octets, "\(mail.name) \(leaf.path)")
                        continue
                    }
                    #expect(next.decodedBody == (kind == 2 ? leaf.decodedBody : Self.new), "\(mail.name) \(leaf.path)")
                    if kind == 2 {
                        #expect(rest.popFirst()?.decodedBody == Self.signature, "\(mail.name) \(leaf.path)")
                    }
                    if kind != 1 {
                        #expect(next.contentType == leaf.contentType, "\(mail.name) \(leaf.path)")
                        #expect(next.disposition == leaf.disposition, "\(mail.name) \(leaf.path)")
                    }
                }
                #expect(rest.isEmpty, "\(mail.name): \(rest.count) parts too many after change \(kind)")
            }
        }
    }

    @Test("the message keeps its own fields, whatever happens to its one file")
    func single() throws {
        var count = 0
        for mail in try Self.given() {
            guard let leaf = mail.leaves.first, leaf.path.isEmpty else { continue }
            for change in Self.changes(leaf) {
                let header = try Message(reading: Self.spliced(mail.message, [[]: change])).header
                let kept = { (header: Header) in
                    header.fields.filter { !$0.name.lowercased().hasPrefix("content-") && !$0.isNamed("MIME-Version") }
                        .map(\.raw.text)
                }
                #expect(kept(header) == kept(mail.message.header).map { $0.utf8.last == 0x0A ? $0 : $0 + "\r\n" })
                #expect(header.all("MIME-Version").count >= 1, "\(mail.name)")
                count += 1
            }
        }
        #expect(count > 30)
    }

    @Test("Python finds the same leaves, if it found them before")
    func python() async throws {
        let given = try Self.given().filter { !$0.leaves.isEmpty }
        let before = try await PythonMailReading.leaves(of: given.map(\.message.octets.array))
        let agreed = zip(given, before).filter { mail, leaves in
            leaves.map { OctetString($0.octets) } == mail.leaves.map(\.decodedBody)
        }
        #expect(agreed.count > 50)
        for kind in 0..<3 {
            let results = agreed.map { mail, _ in
                Self.spliced(
                    mail.message,
                    Dictionary(uniqueKeysWithValues: mail.leaves.map { ($0.path, Self.changes($0)[kind]) })
                ).array
            }
            for ((mail, before), after) in zip(agreed, try await PythonMailReading.leaves(of: results)) {
                var expected: [(name: String?, octets: [UInt8])] = []
                for (leaf, entity) in zip(before, mail.leaves) {
                    switch kind {
                    case 0: expected.append((leaf.name, Self.new.array))
                    case 1: expected.append(("é.p7m", Self.new.array))
                    default: expected += [(leaf.name, leaf.octets), (Self.signatureName(entity), Self.signature.array)]
                    }
                }
                #expect(after.map(\.name) == expected.map(\.name), "\(mail.name) \(kind)")
                #expect(after.map(\.octets) == expected.map(\.octets), "\(mail.name) \(kind)")
            }
        }
    }
}
