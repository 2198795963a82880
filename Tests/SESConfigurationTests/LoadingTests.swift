import TestSupport
import Testing

@testable import SESConfiguration

@Suite("ses.xml")
struct LoadingTests {
    @Test("every file of conf/ loads without a warning of its own")
    func shipped() throws {
        let names = ["ses.xml", "samples/Sign_Outgoing_Email.xml"]
        for name in names {
            let configuration = try ServerConfiguration.load(path: TestMaterial.project + "/conf/" + name)
            #expect(configuration.warnings.isEmpty)
        }
    }

    @Test("the original's own file loads unchanged", .enabled(if: TestMaterial.shared != nil))
    func full() throws {
        let path = try #require(TestMaterial.shared) + "/ses-xml/full.xml"
        let configuration = try ServerConfiguration.load(path: path)
        #expect(configuration.warnings.map(\.code) == [.sameSecondary, .sameSecondary])
    }
}
