import Foundation

/// A folder of mails and documents with configurations (`conf`) and keys (`pki`) of its own.
public struct CaseSet: Sendable, Hashable {
    public let folder: String

    /// The cases of this project.
    public static let own = CaseSet(folder: TestMaterial.fixtures + "/cases")
    /// The cases that stand beside the project; nil where they are absent.
    public static let shared = TestMaterial.shared.map { CaseSet(folder: $0 + "/cases") }
}

/// One row of an `expected.tsv`: an input, a configuration, and the outcomes that are right.
public struct CaseRow: Sendable, Hashable, CustomStringConvertible {
    public enum Entrance: Sendable, Hashable {
        /// Copied as a `*.eml` into `outgoing/` or `incoming/`.
        case bare
        /// Renamed into `new/` there.
        case maildir
        /// Put in by `ses drop`.
        case drop
    }

    public let set: CaseSet
    public let className: String
    /// The path relative to the set's folder.
    public let file: String
    public let isIncoming: Bool
    /// The configuration is `conf/ses-WORD.xml`.
    public let configuration: String
    /// The signing server's configuration is `conf/dss-WORD.xml`, or `conf/dss.xml` where this is nil.
    public let server: String?
    public let entrance: Entrance
    public let sender: String
    /// The replacement for `@ALIAS@` in the configuration.
    public let alias: String
    /// The outcomes, each of which is right.
    public let expected: [String]
    public let reason: String

    public var description: String { file }
    public var name: String { String(file.split(separator: "/").last ?? "") }
    public var recipient: String { isIncoming ? "bob@example.test" : "bob@partner.test" }
    /// The usual From of a mail in this direction.
    public var author: String { Self.author(isIncoming: isIncoming) }

    private static func author(isIncoming: Bool) -> String {
        isIncoming ? "carol@partner.test" : "alice@example.test"
    }

    /// - Throws: ``HarnessError`` when a column is missing or a word of the configuration is unknown.
    public init(_ columns: [String: String], in set: CaseSet) throws {
        func column(_ name: String) throws -> String {
            guard let value = columns[name] else { throw HarnessError("a row without \(name): \(columns)") }
            return value
        }
        self.set = set
        className = try column("class")
        file = try column("file")
        isIncoming = try column("direction") == "incoming"
        let words = try column("configuration").split(separator: " ").map(String.init)
        var entrance = Entrance.drop
        var named: [String: String] = [:]
        for word in words.dropFirst() {
            switch word {
            case "bare": entrance = .bare
            case "maildir": entrance = .maildir
            default:
                let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, ["sender", "alias", "server"].contains(parts[0]) else {
                    throw HarnessError("\(file): unknown word '\(word)' in the column configuration")
                }
                named[parts[0]] = parts[1]
            }
        }
        guard let first = words.first else { throw HarnessError("\(file): no configuration") }
        configuration = first
        self.entrance = entrance
        server = named["server"]
        sender = named["sender"] ?? Self.author(isIncoming: isIncoming)
        alias = named["alias"] ?? "alice@example.test"
        expected = try column("expected").split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        reason = try column("why")
    }

    /// The mail: the file itself, or an ordinary mail to which the file is attached.
    public func message() throws -> [UInt8] {
        let octets = try TestMaterial.octets(set.folder + "/" + file)
        guard !file.lowercased().hasSuffix(".eml") else { return octets }
        let type = file.lowercased().hasSuffix(".pdf") ? "application/pdf" : "application/xml"
        return MailSamples.withFiles([AttachedFile(name, type, octets)], from: author, to: recipient)
    }

    /// All rows: those beside the project, and those of each `expected.tsv` below the project's own cases.
    ///
    /// `SES_CASES` restricts them to those whose `file` contains one of its words.
    public static func all() throws -> [CaseRow] {
        var rows: [CaseRow] = []
        if let shared = CaseSet.shared {
            rows += try TestMaterial.table(shared.folder + "/expected.tsv").map { try CaseRow($0, in: shared) }
        }
        let own = CaseSet.own
        for name in try FileManager.default.contentsOfDirectory(atPath: own.folder).sorted() {
            let table = own.folder + "/\(name)/expected.tsv"
            guard FileManager.default.fileExists(atPath: table) else { continue }
            rows += try TestMaterial.table(table).map { try CaseRow($0, in: own) }
        }
        let words = ProcessInfo.processInfo.environment["SES_CASES"]?.split(separator: " ") ?? []
        return rows.filter { row in words.isEmpty || words.contains { row.file.contains($0) } }
    }
}
