import Foundation
import Ground
import KernelRelay
import RelayLink
import Testing

/// What is known of compose without running it.
@Suite struct ComposeTests {
    @Test func formsOfAClient() {
        #expect(ComposeClient.forms(["docker"]) == [["docker", "compose"], ["docker-compose"]])
        #expect(
            ComposeClient.forms(["sudo", "docker"]) == [
                ["sudo", "docker", "compose"], ["sudo", "docker-compose"],
            ])
        #expect(
            ComposeClient.forms(["/opt/bin/podman"]) == [["/opt/bin/podman", "compose"], ["podman-compose"]])
        #expect(ComposeClient.forms(["./wrapper"]) == [["./wrapper", "compose"]])
    }

    @Test func releases() {
        #expect(
            ComposeClient.major(in: "docker-compose version 1.29.2, build unknown\ndocker-py version: 5") == 1
        )
        #expect(ComposeClient.major(in: "Docker Compose version v2.20.2") == 2)
        #expect(ComposeClient.major(in: "something else") == 2)
    }

    // MARK: - The project's configuration

    @Test func whatComposeOnePrints() {
        let config = ComposeConfig(
            """
            networks:
              host: {}
            services:
              work:
                command: "a long line\\
                  \\ network_mode: host"
                environment:
                  network_mode: host
                labels:
                  other: x
              'other':
                network_mode: host
              third:
                network_mode: "service:work"
            version: '2.4'
            volumes:
              nothing:
                network_mode: host
            """)
        #expect(config.services == ["work": nil, "other": "host", "third": "service:work"])
        #expect(config.version == "2.4" && config.project == nil)
    }

    @Test func whatComposeTwoPrints() {
        let config = ComposeConfig("name: my-project\nservices:\n  work:\n    image: x\n")
        #expect(config.services == ["work": nil] && config.project == "my-project" && config.version == nil)
    }

    @Test func whoPublishes() {
        for mode in ["host", "none", "service:a", "container:b"] { #expect(!ComposeConfig.publishes(mode)) }
        for mode in [nil, "bridge", "default"] { #expect(ComposeConfig.publishes(mode)) }
    }

    // MARK: - The override

    private let override = ComposeOverride(
        services: [
            "work": .init(
                channels: ["shell": 1, "iopub": 1, "stdin": 1, "control": 2, "hb": 2],
                published: [1: 20000, 2: 20001], displayName: "Käse $HOME \"x\" 😀"),
            "bare": .init(channels: StandardPorts.byChannel, published: [:]),
        ], version: "3.7")

    @Test func itIsReadAsItWasWritten() {
        let text = override.text(shim: "/opt/$dir/relay-shim")
        #expect(ComposeOverride(reading: text) == override)
        let shown = String(decoding: text, as: UTF8.self)
        // Compose would take what stands behind a dollar for a variable.
        #expect(shown.contains("/opt/$$dir/relay-shim") && shown.contains("Käse $$HOME \\\"x\\\" 😀"))
        #expect(shown.contains("\"127.0.0.1:20000:1\"") && shown.contains("\"init\" : true"))
    }

    @Test(arguments: [
        "", "services: {}\n", "{\"services\": {}}", "# Written by `relayd compose`\nservices: {}",
    ])
    func whatSomebodyElseWroteIsNotOurs(_ text: String) {
        #expect(ComposeOverride(reading: Array(text.utf8)) == nil)
    }

    @Test func whatSomebodyChangedIsNotOurs() {
        let text = String(decoding: override.text(shim: "/s"), as: UTF8.self)
        for change in ["services:", "    privileged: true\n"] {
            #expect(ComposeOverride(reading: Array((text + change).utf8)) == nil)
        }
    }

    // MARK: - The files

    private func files(
        _ named: [String] = [], in folder: Scratch, _ environment: [String: String] = [:], major: Int = 1
    ) throws -> ComposeFiles {
        try ComposeFiles(named: named, in: folder.path, environment: environment, major: major)
    }

    @Test func filesThatAreNamed() throws {
        let folder = try Scratch()
        _ = try folder.write("docker-compose.yml", "")
        let found = try files(["a/x.yml", "y.yml"], in: folder)
        #expect(found.paths == ["a/x.yml", "y.yml"])
        #expect(found.usualOutput == "a/compose.kernelrelay.yml")
        #expect(try files(["/p/x.yml"], in: folder).usualOutput == "/p/compose.kernelrelay.yml")
        #expect(throws: RelayError.self) { try files(["-"], in: folder) }
    }

    @Test func filesThatComposeLooksFor() throws {
        let folder = try Scratch()
        #expect(throws: RelayError.self) { try files(in: folder) }
        _ = try folder.write("compose.yaml", "")
        _ = try folder.write("docker-compose.yml", "")
        _ = try folder.write("docker-compose.override.yml", "")
        #expect(try files(in: folder).paths == ["docker-compose.yml", "docker-compose.override.yml"])
        #expect(try files(in: folder, major: 2).paths.first == "compose.yaml")
        #expect(try files(in: folder).usualOutput == "compose.kernelrelay.yml")
        let below = "\(folder.path)/below"
        try FileManager.default.createDirectory(atPath: below, withIntermediateDirectories: true)
        let above = try ComposeFiles(named: [], in: below, environment: [:], major: 1)
        #expect(above.paths.first == "\(folder.path)/docker-compose.yml")
        #expect(above.usualOutput == "\(folder.path)/compose.kernelrelay.yml")
    }

    @Test func whatTheEnvironmentSays() throws {
        let folder = try Scratch()
        _ = try folder.write(
            ".env", "# no\nCOMPOSE_FILE=\"a.yml:b.yml\"\n export COMPOSE_PROJECT_NAME = from-file \n")
        #expect(try files(in: folder).paths == ["a.yml", "b.yml"])
        #expect(try files(in: folder).usualProject(from: folder.path) == "from-file")
        let caller = [
            "COMPOSE_FILE": "c.yml,d.yml", "COMPOSE_PATH_SEPARATOR": ",", "COMPOSE_PROJECT_NAME": "mine",
        ]
        #expect(try files(in: folder, caller).paths == ["c.yml", "d.yml"])
        #expect(try files(in: folder, caller).usualProject(from: folder.path) == "mine")
    }

    @Test func aProjectIsCalledAfterItsFolder() throws {
        let folder = try Scratch()
        let place = "\(folder.path)/My Project.1_x-Ä"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let found = try ComposeFiles(
            named: ["\(place)/docker-compose.yml"], in: "/", environment: [:], major: 1)
        #expect(found.usualProject(from: "/") == "myproject1_x-")
    }
}
