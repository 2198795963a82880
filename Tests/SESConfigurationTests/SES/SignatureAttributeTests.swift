import TestSupport
import Testing
import Workflows

@testable import SESConfiguration

/// A list of OverrideableAttributes with one fault; each attribute stands on a line of its own.
struct AttributeFault: CustomTestStringConvertible, Sendable {
    let attributes: [(name: String, value: String)]
    let code: ConfigurationFault.Code
    /// The index of the attribute, counted from 0.
    let place: Int
    let words: String
    var nearest: String?

    init(
        _ attributes: [(String, String)], _ code: ConfigurationFault.Code, at place: Int = 0, _ words: String,
        nearest: String? = nil
    ) {
        self.attributes = attributes.map { (name: $0.0, value: $0.1) }
        self.code = code
        self.place = place
        self.words = words
        self.nearest = nearest
    }

    var testDescription: String { attributes.map { "\($0.name)=\($0.value)" }.joined(separator: " ") }
}

@Suite("OverrideableAttributes")
struct SignatureAttributeTests {
    private static let firstLine = 5

    /// The list begins on a line that is known.
    private static func file(_ attributes: [(name: String, value: String)]) -> String {
        let lines = attributes.map {
            "<Attribute><Name>\($0.name)</Name><Value>\($0.value)</Value></Attribute>"
        }
        return """
            <SES><Outgoing><Sign><Workflow><OperationRule>SIGN_ATTACHMENT</OperationRule>
            <ProfileSelection>
            <SignAttachment profileId="p">
            <OverrideableAttributes>
            \(lines.joined(separator: "\n"))
            </OverrideableAttributes>
            </SignAttachment>
            </ProfileSelection></Workflow></Sign></Outgoing>
            <Settings>
            <DomainName>example.test</DomainName>
            <AdminEmailAddress>admin@example.test</AdminEmailAddress>
            <OriginatorId>client</OriginatorId>
            <SigningServiceSettings><SigningServiceAddress>
            <PrimaryAddress>http://127.0.0.1:8777/s</PrimaryAddress>
            </SigningServiceAddress></SigningServiceSettings>
            </Settings>
            </SES>
            """
    }

    static let faults =
        ["0", "6", "-1", "+1", "1.0", "top left", "", "٣"].map {
            AttributeFault([("SIGNING_AREA", $0)], .badValue, "from 1 to 5")
        }
        + ["0", "-1", "1,2", "last", "", "1000001", "99999999999999999999"].map {
            AttributeFault([("SIGNING_PAGE", $0)], .badValue, "a number from 1")
        }
        + [
            AttributeFault([("VISIBILITY", "true")], .badValue, "one of TRUE, FALSE", nearest: "TRUE"),
            AttributeFault([("VISIBILITY", "FALS")], .badValue, "one of TRUE, FALSE", nearest: "FALSE"),
            AttributeFault([("VISIBILITY", "")], .badValue, "one of TRUE, FALSE"),
            AttributeFault([("SIGNING_FIELD", "")], .badValue, "is empty"),
            AttributeFault([("SIGNING_REASN", "x")], .badValue, "SIGNING_REASN", nearest: "SIGNING_REASON"),
            AttributeFault([("signing_reason", "x")], .badValue, "signing_reason", nearest: "SIGNING_REASON"),
            AttributeFault(
                [("SIGNING_FIELD", "a"), ("SIGNING_REASON", "x"), ("SIGNING_AREA", "1")], .conflict, "SIGNING_AREA"),
            AttributeFault(
                [("SIGNING_AREA", "1"), ("SIGNING_FIELD", "a")], .conflict, at: 1, "a field has a place of its own"),
            AttributeFault(
                [("SIGNING_REASON", "a"), ("CONTACT_INFO", "c"), ("SIGNING_REASON", "b")], .repeated, at: 2,
                "a second time"),
        ]

    @Test("a fault is reported with its own line", arguments: faults)
    func fault(_ given: AttributeFault) throws {
        let found = try ConfigurationFixture.faults(Self.file(given.attributes))
        #expect(found.map(\.code) == [given.code], "\(found)")
        let fault = try #require(found.first)
        #expect(fault.line == Self.firstLine + given.place)
        #expect(fault.sentence.contains(given.words), "\(fault.sentence)")
        #expect(fault.nearest == given.nearest)
    }

    @Test("every fault of a list is reported at once")
    func allAtOnce() throws {
        let found = try ConfigurationFixture.faults(
            Self.file([("SIGNING_AREA", "9"), ("SIGNING_PAGE", "0"), ("VISIBILITY", "NO"), ("SIGNING_FIELD", "")]))
        #expect(found.map(\.line) == [5, 6, 7, 8])
    }

    @Test("all seven stand together, except field and area, and keep their order")
    func together() throws {
        let attributes = [
            ("VISIBILITY", "TRUE"), ("SIGNING_REASON", "a < b, & \"c\""), ("SIGNING_LOCATION", "Zürich"),
            ("CONTACT_INFO", "+41 00"), ("SIGNING_PAGE", "3"), ("SIGNING_FIELD", "Form.Sig 1"),
        ]
        let text = Self.file(
            attributes.map { ($0.0, $0.1.replacing("&", with: "&amp;").replacing("<", with: "&lt;")) })
        let policy = try ConfigurationFixture.load(text).policy
        guard case .signAttachment(let instruction)? = policy.outgoing.workflows.first?.operations.first else {
            Issue.record("no SIGN_ATTACHMENT")
            return
        }
        let read = instruction.profiles.first?.attributes ?? []
        #expect(read.map(\.name.rawValue) == attributes.map(\.0))
        #expect(read.map(\.value) == attributes.map(\.1))
    }
}
