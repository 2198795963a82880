import FoundationEssentials
import Glibc
import HostProcess
import Octets
import XMLReading

/// The settings of Apache James 2.3 that the original used, from its `config.xml`.
struct JamesConfiguration {
    /// One `<mailet class="RemoteDelivery">`.
    struct Delivery {
        /// `match="…"`, which said what mail it was for.
        let match: String
        /// In the file as it is read, counted from 1.
        let line: Int
        let outgoing: String?
        let delays: [String]
        let maxRetries: String?
        let threads: String?
        let sendsPartial: String?
        /// As written; James takes several.
        let gateways: [String]
        let port: String?
        let user: String?
        let password: String?
        /// Elements that are not taken over.
        let others: [String]
    }

    let deliveries: [Delivery]
    let postmaster: String?
    let serverNames: [String]
    let nameServers: [String]

    /// - Throws: ``ProgramError`` with 65 if the file cannot be read.
    init(path: String) throws(ProgramError) {
        let octets: OctetString
        switch SmallFile.read(path) {
        case .success(let read): octets = read
        case .failure(let error): throw ProgramError(.noInput, "\(error)")
        }
        let root: XMLElement
        do throws(XMLReadingError) {
            root = try XMLTree.parse(
                OctetString(Self.withoutDeclarations(String(decoding: octets.array, as: UTF8.self))))
        } catch {
            throw ProgramError(.badInput, "\(path):\(error.line): \(error.reason)")
        }
        let all = Self.descendants(of: root)
        deliveries = all.filter {
            $0.localName == "mailet" && $0.attribute("class")?.hasSuffix("RemoteDelivery") == true
        }.map(Delivery.init)
        let james = all.first { $0.localName == "James" } ?? root
        postmaster = james.child("postmaster").map { Self.joined($0.text) }.flatMap { $0.isEmpty ? nil : $0 }
        let names = james.child("servernames")
        serverNames = (names?.children("servername") ?? []).map { Self.joined($0.text) }
        nameServers =
            all.first { $0.localName == "dnsserver" }?.child("servers")?.children("server").map { Self.joined($0.text) }
            ?? []
    }

    /// The text without its document type and references to entities that it declares, which no reader here follows.
    private static func withoutDeclarations(_ text: String) -> String {
        func blank(_ part: Substring) -> String { String(part.filter { $0.isNewline }) }
        var text = text.replacing(/<!DOCTYPE\s[^\[>]*(?:\[[^\]]*\]\s*)?>/) { blank($0.output) }
        text = text.replacing(/&(?!amp;|lt;|gt;|quot;|apos;|#)[A-Za-z_][\w.\-]*;/, with: "")
        return text
    }

    private static func descendants(of element: XMLElement) -> [XMLElement] {
        [element] + element.children.flatMap { descendants(of: $0) }
    }

    /// A value without the line breaks that editors put into it.
    static func joined(_ text: String) -> String { text.filter { !$0.isWhitespace } }
}

extension JamesConfiguration.Delivery {
    private static let known: Set<String> = [
        "outgoing", "delayTime", "maxRetries", "deliveryThreads", "sendpartial", "gateway", "gatewayPort",
        "gatewayusername", "gatewayUsername", "gatewayPassword",
    ]

    fileprivate init(_ element: XMLElement) {
        func value(_ names: String...) -> String? {
            names.lazy.compactMap { element.child($0)?.trimmedText }.first { !$0.isEmpty }
        }
        match = element.attribute("match") ?? "All"
        line = element.line
        outgoing = value("outgoing")
        delays = element.children("delayTime").map(\.trimmedText).filter { !$0.isEmpty }
        maxRetries = value("maxRetries")
        threads = value("deliveryThreads")
        sendsPartial = value("sendpartial", "sendPartial")
        gateways = element.children("gateway").map { JamesConfiguration.joined($0.text) }.filter { !$0.isEmpty }
        port = value("gatewayPort", "gatewayport")
        user = value("gatewayusername", "gatewayUsername")
        password = value("gatewayPassword", "gatewaypassword")
        others = element.children.map(\.localName).filter { !Self.known.contains($0) }
    }

    /// A delay of James as `relay.xml` has it: a number alone means milliseconds there.
    static func delay(_ text: String) -> String? {
        guard let number = Int(text) else { return text }
        let seconds = max(1, number / 1_000)
        for (unit, word) in [(86_400, "day"), (3_600, "hour"), (60, "minute")] where seconds % unit == 0 {
            let count = seconds / unit
            return "\(count) \(word)\(count == 1 ? "" : "s")"
        }
        return "\(seconds) second\(seconds == 1 ? "" : "s")"
    }
}
