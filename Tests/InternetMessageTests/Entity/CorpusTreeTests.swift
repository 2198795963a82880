import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

/// Real and torture messages against the trees that other parsers found in them.
@Suite("Message trees of the shared corpus", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
struct CorpusTreeTests {
    @Test("octet ranges and field names agree with a parser that keeps offsets", arguments: OffsetTree.all)
    func offsets(_ given: OffsetTree) throws {
        let message = try Message(reading: given.octets())
        let expected = try given.expected()
        #expect(Node(message.root).lines.differences(from: expected) == given.knownDifferences)
    }

    @Test("media types agree with those that Python's email package walks over", arguments: TypeTree.all)
    func types(_ given: TypeTree) throws {
        for octets in [given.octets, given.octets.withCRLFLineEnds()] {
            let found = try Message(reading: octets).root.walk(.enclosedMessages).map(\.contentType.mediaType)
            // The table holds twelve types at most.
            #expect(found.count == given.count)
            #expect(Array(found.prefix(12)) == given.expected)
        }
    }

    @Test("the table of expected trees was found")
    func tableIsThere() {
        #expect(OffsetTree.all.count == 128)
        #expect(TypeTree.all.count == 22)
    }

    @Test("the torture message has its known tree")
    func torture() throws {
        let folder = try #require(TestMaterial.shared) + "/corpora/mime/torture/"
        let octets = OctetString(try TestMaterial.octets(folder + "mimetorture.eml"))
        let json = try JSONSerialization.jsonObject(with: Data(try TestMaterial.octets(folder + "mimetorture.json")))
        let found = try Message(reading: octets).root.walk(.enclosedMessages).map { entity in
            "\(entity.contentType.mediaType) \(entity.header.fields.count)"
        }
        #expect(found == tortureTypes(json))
    }

    /// Media type and number of header fields of each node, in document order.
    private func tortureTypes(_ json: Any) -> [String] {
        guard let node = json as? [String: Any], let header = node["header"] as? [String] else { return [] }
        let type = (node["parsedHeader"] as? [String: Any])?["content-type"] as? [String: Any]
        let own = "\(type?["value"] as? String ?? "text/plain") \(header.count)"
        let children = node["childNodes"] as? [Any] ?? []
        return [own] + (children + [node["message"]].compactMap { $0 }).flatMap(tortureTypes)
    }
}

extension [String] {
    /// The lines that are here only, or in `other` only.
    func differences(from other: [String]) -> [String] {
        difference(from: other).map { change in
            switch change {
            case .insert(_, let line, _): "found    " + line
            case .remove(_, let line, _): "expected " + line
            }
        }
    }
}

/// One entity as lines of text, so that a difference shows where it is.
struct Node {
    let lines: [String]

    init(_ entity: Entity) {
        var lines: [String] = []
        for entity in entity.walk(.enclosedMessages) {
            let kind =
                switch entity.content {
                case .leaf: "leaf"
                case .multipart(let multipart): "multipart of \(multipart.parts.count)"
                case .message: "message"
                }
            lines.append("\(kind) \(entity.range.lowerBound) \(entity.bodyRange.lowerBound) \(entity.range.upperBound)")
            for field in entity.header.fields {
                let bodyStart = field.range.lowerBound + field.raw.firstIndex(of: UInt8(ascii: ":"))! + 1
                lines.append(
                    "  \(field.name.lowercased()) \(field.range.lowerBound) \(bodyStart) \(field.range.upperBound)")
            }
        }
        self.lines = lines
    }
}

/// A message and its JSON tree with offsets, as the LF file and in its CRLF form.
struct OffsetTree: CustomTestStringConvertible, Sendable {
    let file: String
    let json: String
    let isCRLF: Bool

    var testDescription: String { isCRLF ? file + " with CRLF" : file }

    static let folder = (TestMaterial.shared ?? "") + "/corpora/mime/"

    static let all: [OffsetTree] = {
        let rows = (try? TestMaterial.table(folder + "expected.tsv")) ?? []
        return rows.compactMap { $0["file"] }.filter { $0.hasPrefix("mail-parser-") }.flatMap { file in
            let stem = String(file.dropLast(4))
            return [
                OffsetTree(file: file, json: stem + ".json", isCRLF: false),
                OffsetTree(file: file, json: stem + ".crlf.json", isCRLF: true),
            ]
        }
    }()

    func octets() throws -> OctetString {
        let octets = OctetString(try TestMaterial.octets(Self.folder + file))
        // The tree of the LF form was made of the file without any CR, also without the lone one of legacy/049.
        return isCRLF ? octets.withCRLFLineEnds() : OctetString(octets.filter { $0 != UInt8(ascii: "\r") })
    }

    /// rfc/008 holds a message under base64, which RFC 2046 §5.2.1 forbids: the other parser decodes and enters it,
    /// whereas here it is a leaf with a defect. The lines are those of the message within.
    var knownDifferences: [String] {
        guard file == "mail-parser-rfc/008.eml" else { return [] }
        let inner = [
            "  content-transfer-encoding 616 642 649", "  content-type 576 589 616", "leaf 576 651 824",
            "  content-transfer-encoding 465 491 498", "  content-type 409 422 465", "leaf 409 500 530",
            "  content-language 292 309 317", "  content-type 200 213 292", "  mime-version 181 194 200",
            "  date 142 147 181", "  message-id 97 108 142", "  subject 77 85 97", "  from 45 50 77", "  to 0 3 45",
            "multipart of 2 0 319 872",
        ]
        let range = isCRLF ? "306 437 1631" : "297 424 1603"
        return inner.map { "expected " + $0 } + ["expected message " + range, "found    leaf " + range]
    }

    func expected() throws -> [String] {
        let data = Data(try TestMaterial.octets(Self.folder + json))
        return try lines(of: try #require(JSONSerialization.jsonObject(with: data) as? [String: Any]))
    }

    private func lines(of message: [String: Any]) throws -> [String] {
        var lines: [String] = []
        for part in try #require(message["parts"] as? [[String: Any]]) {
            let body = part["body"] as? [String: Any] ?? [:]
            let inner = body["Message"] as? [String: Any]
            let kind =
                inner != nil ? "message" : (body["Multipart"] as? [Int]).map { "multipart of \($0.count)" } ?? "leaf"
            lines.append(
                "\(kind) \(part["offset_header"] ?? "") \(part["offset_body"] ?? "") \(part["offset_end"] ?? "")")
            for header in part["headers"] as? [[String: Any]] ?? [] {
                let other = (header["name"] as? [String: Any])?["other"] as? String
                let name = other ?? (header["name"] as? String ?? "").replacingOccurrences(of: "_", with: "-")
                lines.append(
                    "  \(name.lowercased()) \(header["offset_field"] ?? "") \(header["offset_start"] ?? "") "
                        + "\(header["offset_end"] ?? "")")
            }
            if let inner { lines += try self.lines(of: inner) }
        }
        return lines
    }
}

/// A message and the list of media types in document order.
struct TypeTree: CustomTestStringConvertible, Sendable {
    let file: String
    let octets: OctetString
    /// The number of entities.
    let count: Int
    /// The types of the first twelve.
    let expected: [String]

    var testDescription: String { file }

    static let all: [TypeTree] = {
        let rows = (try? TestMaterial.table(OffsetTree.folder + "expected.tsv")) ?? []
        return rows.compactMap { row in
            guard let file = row["file"], let why = row["why"], let mark = why.range(of: "tree (Python email): "),
                let count = row["checked"]?.split(separator: " ").compactMap({ Int($0) }).first,
                let octets = try? TestMaterial.octets(OffsetTree.folder + file)
            else { return nil }
            let types = why[mark.upperBound...].split(separator: " ").map(String.init)
            let known = differences[file.split(separator: "/").last.map(String.init) ?? ""]
            return TypeTree(
                file: file, octets: OctetString(octets), count: known?.count ?? count, expected: known ?? types)
        }
    }()

    /// The messages for which this reader's tree is another one, for one of two reasons.
    ///
    /// Python parses the groups of fields in message/delivery-status and message/disposition-notification as parts of
    /// type text/plain (RFC 3464 §2.1, 3798 §3.1). Here they are leaves, because they hold no entities. And Python ends
    /// a header at a line whose name is not US-ASCII, so that a byte order mark before the first field makes the
    /// message plain text.
    private static let differences: [String: [String]] = [
        "bounce.txt": [
            "multipart/report", "text/plain", "message/delivery-status", "message/rfc822", "multipart/alternative",
            "text/plain", "text/html",
        ],
        "delivery-status2.txt": [
            "multipart/report", "text/plain", "message/delivery-status", "message/rfc822", "multipart/alternative",
            "text/plain", "text/html",
        ],
        "delivery-status-multiple-blank-lines.txt": ["multipart/report", "text/plain", "message/delivery-status"],
        "delivery-status-no-blank-line.txt": [
            "multipart/report", "message/delivery-status", "message/rfc822", "text/plain",
        ],
        "delivery-status.anonymized.eml": [
            "multipart/report", "message/delivery-status", "message/rfc822", "text/plain",
        ],
        "delivery-status.txt": ["multipart/report", "message/delivery-status", "message/rfc822", "text/plain"],
        "disposition-notification.anonymized.eml": [
            "multipart/report", "text/plain", "message/disposition-notification", "message/rfc822", "text/plain",
        ],
        "disposition-notification.txt": [
            "multipart/report", "text/plain", "message/disposition-notification", "message/rfc822", "text/plain",
        ],
        "feedback-report.txt": [
            "multipart/report", "text/plain", "message/feedback-report", "message/rfc822", "text/plain",
        ],
    ]
}
