import Glibc
import HostProcess
import Octets
import Testing

@testable import SigningServer

@Suite("Shares in the file descriptors")
struct DescriptorPlanTests {
    @Test(
        "connections, files and workers together leave descriptors for the rest",
        arguments: [96, 128, 200, 256, 512, 1_024, 4_096, 524_288], [1, 2, 8, 64])
    func sum(_ limit: Int, _ processors: Int) {
        guard let plan = try? DescriptorPlan(limit: limit, open: 10, processors: processors) else {
            #expect(limit < 512, "a usual limit is refused")
            return
        }
        // A worker may have a connection to elsewhere and look up its name; four more than the surplus are accepted.
        let used = 10 + 3 * processors + plan.connections + DescriptorPlan.surplus + 3 + plan.files + 4 * plan.workers
        #expect(used + 24 <= limit)
        #expect(plan.connections >= DescriptorPlan.minimumConnections && plan.workers >= 4)
        #expect(plan.connections <= DescriptorPlan.maximumConnections)
    }

    @Test("too few descriptors are refused with the number that suffices")
    func shortage() throws {
        let error = #expect(throws: DescriptorShortage.self) {
            try DescriptorPlan(limit: 60, open: 3, processors: 2)
        }
        let words = try #require(error).description
        let needed = try #require(words.split(separator: " ").compactMap { Int($0) }.last)
        #expect(words.hasPrefix("60 file descriptors are too few: \(needed) are needed; raise the limit"))
        #expect((try? DescriptorPlan(limit: needed - 1, open: 3, processors: 2)) == nil)
        #expect((try? DescriptorPlan(limit: needed, open: 3, processors: 2)) != nil)
    }

    @Test("no more files are made than there are descriptors for; one that is closed makes room")
    func files() throws {
        let files = ScratchFiles(in: "/tmp", limit: 2)
        let first = try files.makeFile()
        var second: ScratchFile? = try files.makeFile()
        let error = #expect(throws: OctetCollectionError.self) { try files.makeFile() }
        #expect(error?.kind == .storage(errno: EMFILE))
        withExtendedLifetime(second) {}
        second = nil
        _ = try files.makeFile()
        withExtendedLifetime(first) {}
    }
}
